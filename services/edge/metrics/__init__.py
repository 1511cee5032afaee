"""What the gateway has answered in the last 24 hours, counted by minute, service, route and key.

latency, counter, history   (pure) counts that add up, and what is held of them
recorder                    the minute of now, in the event loop
keeping, disk               all before it, in a thread and in the edge's file
reporting, report           what is told of it over gRPC
prometheus                  and on the management listener
"""
