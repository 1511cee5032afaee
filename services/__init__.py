"""What the services share: errors, settings, RPC plumbing."""

import os

# gRPC's core writes lines of its own to stderr, beside the one that says why a start failed. It
# reads this when it is imported.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
