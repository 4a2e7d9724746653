"""Install the four rooms of village-point under their own names. Tool settings live in pyproject.toml."""

from setuptools import find_packages, setup

KIOSK = [
    "kivy==2.3.1",  # the window; 3.0 changes text and window code
    "qrcode>=8.2,<9",  # the report of the check-up on the screen; python-escpos brings it along anyway
    "evdev>=2.0",  # hand scanners that act as a keyboard
]
HUB = [
    "jinja2>=3.1,<4",  # these three serve the page of the district's desk
    "psycopg[binary]>=3.2,<4",  # a hub on PostgreSQL; one on SQLite needs nothing
    "waitress>=3,<4",
    "werkzeug>=3,<4",
]
DEV = [
    "fonttools>=4.50",  # cuts the kiosk font out of Debian's Noto CJK
    "hypothesis>=6.100",
    "import-linter>=2.5",
    "mypy>=1.13",
    "pytest>=8.3",
    "pytest-timeout>=2.3",
    "ruff>=0.9",
    "types-requests",
    "types-pyserial",
    "types-waitress",
]

setup(
    name="village-point",
    version="0.1.0",
    description="Edge software for village service points: parcels, lockers, bills, with or without a line",
    python_requires=">=3.11",
    packages=find_packages(
        include=["edge", "edge.*", "ui", "ui.*", "drivers", "drivers.*", "sync", "sync.*"],
    ),
    package_data={
        "edge": ["py.typed"],
        "drivers": ["py.typed"],
        "sync": ["py.typed", "hub/web/catalogue/*", "hub/web/static/*", "hub/web/templates/*"],
        "ui": ["py.typed", "*.kv", "screens/*.kv", "fonts/*", "catalogue/*"],
    },
    install_requires=[
        "argon2-cffi>=23.1",
        "cryptography>=42",
        "msgspec>=0.18,<1",
        "paho-mqtt>=2.1,<3",
        "pillow>=10",  # the picture of a code for an enrolment; python-escpos brings both
        "pyserial>=3.5",
        "python-barcode>=0.15",
        "python-escpos>=3.1,<4",
        "requests>=2.32,<3",
        "sqlite-utils>=4.2,<5",
    ],
    extras_require={"kiosk": KIOSK, "hub": HUB, "dev": DEV},
    entry_points={
        "console_scripts": [
            "village-point = edge.cli:main",
            "village-hub = sync.hub.cli:main",
            "village-sim = drivers.sim.cli:main",
        ],
    },
)
