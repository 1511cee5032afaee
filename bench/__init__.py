"""The measurements behind `make bench`: whole suites, real processes, loopback only."""
