"""The page of the district's desk: sites at a glance, one site, files and notices down, devices let in."""
