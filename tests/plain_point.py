"""The settings of a point without devices, as tests of commands use them."""

CONFIG = """\
site = "QJ-0001"
name = "金溪村服务点"
profile = "village_point"
data_dir = "data"
language = "zh"
sim = true

[panel]
width = 1280
height = 800
diagonal_inch = 10.1

[[shelf]]
name = "A"
levels = 1
positions = 4
"""
