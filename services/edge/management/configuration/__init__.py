"""The gateway's configuration as Orkes Conductor's clients manage it: auth, services, routes, tags.

A translation over the registry's RPCs, in the caller's name: the registry knows who may do what,
what is at fault and who uses what.
"""
