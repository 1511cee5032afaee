"""What the services share: errors, settings, RPC plumbing."""

import os

# gRPC's core reads these when it is imported. It writes lines of its own to stderr, beside the one
# that says why a start failed.
os.environ.setdefault("GRPC_VERBOSITY", "NONE")
# Where a child is forked, it starts its threads anew in there, and now and then dies of it before
# the child's program begins. All that we start are programs of their own.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
