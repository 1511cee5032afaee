"""What every service writes into the audit log: who did or was refused what, and from where.

entries     one entry
methods     which RPCs change something, and which do not: every RPC is in one of its tables
calling     the call that is being served, as an entry tells of it
refusals    (pure) few enough of them, however many there are
chain       (pure) each entry's hash, which holds those before it
noting      the interceptor that has every change and every refusal written down
outbox      entries in a service's own database until the registry has them
wire        entries as messages
"""

from services.auditing.entries import ALLOWED, DENIED, FAILED, Entry

__all__ = ["ALLOWED", "DENIED", "FAILED", "Entry"]
