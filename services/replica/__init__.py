"""The local copy of the registry's definitions, which executor and edge serve from.

It is kept on disk, usable at once after a restart, and follows the registry's watch for as long
as it is open, however often that breaks. It is disposable: a corrupt one is made anew.
"""

from services.replica.copy import Removed, Replica, Stored
from services.replica.first import first_copy
from services.replica.follow import following
from services.replica.sights import Sights

__all__ = ["Removed", "Replica", "Sights", "Stored", "first_copy", "following"]
