"""The settings of a point, as tests of commands use them: what all have, to which each adds what it is about."""

HEAD = """\
site = "{site}"
name = "金溪村服务点"
profile = "{profile}"
data_dir = "{data_dir}"
language = "zh"
sim = true

[panel]
width = 1280
height = 800
diagonal_inch = 10.1
"""
CABINET = """
[cabinet]
locker = "locker"
cells = "SSSSSSSSSSSSMMMMMMMMLLLL"
"""
SHELF = """
[[shelf]]
name = "A"
levels = 1
positions = 4
"""


def point_with(*more: str, site: str = "QJ-0001", profile: str = "village_point", data_dir: str = "data") -> str:
    """A point with these parts."""
    return HEAD.format(site=site, profile=profile, data_dir=data_dir) + "".join(more)


CONFIG = point_with(SHELF)  # a point without devices
