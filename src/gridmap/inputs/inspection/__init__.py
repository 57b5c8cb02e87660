"""What a file of any format holds, found out by a process of its own: layers, columns, uses, faults, datum, preview."""

from gridmap.inputs.inspection.reference import write_reference
from gridmap.inputs.inspection.running import Asked, Inspected, inspect_file
from gridmap.inputs.inspection.telling import Told, mend_of, said

__all__ = ["Asked", "Inspected", "Told", "inspect_file", "mend_of", "said", "write_reference"]
