"""The technician's tools: look at scans, find a gun, try displays, printer, scale and doors, prove the polarity.

`bench` sends each request to its tool, `reads` makes a scan fit to be shown, `devices` and `doors` do the work;
`wizard` leads through all of it when a point is commissioned. Devices are seen by their contracts alone; what is said
to the technician in words is the screens' business.
"""

from edge.workbench.bench import Fittings, Workbench
from edge.workbench.wizard import WizardKit

__all__ = ["Fittings", "WizardKit", "Workbench"]
