"""The demonstration network: loopback replicas of the source families the hub harvests.

>>> from demo import Network
>>> with Network(seed=1) as network:
...     sorted(network.sources())[:2]
['demo-absch', 'demo-atom']
"""

from demo.hosts import Expectation, Truth
from demo.network import Network, Seen

__all__ = ["Expectation", "Network", "Seen", "Truth"]
