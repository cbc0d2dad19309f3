"""The demonstration network: loopback replicas of the source families the hub harvests.

>>> from demo import Network
>>> with Network(seed=1) as network:
...     sorted(network.sources())[:2]
['demo-absch', 'demo-atom']
"""

from demo.network import Expectation, Network, Seen, Truth

__all__ = ["Expectation", "Network", "Seen", "Truth"]
