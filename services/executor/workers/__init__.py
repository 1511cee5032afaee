"""Workers over gRPC: tasks out by streams and polls, words in."""
