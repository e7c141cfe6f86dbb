"""The measures, in the order of their numbers."""
from . import (m01_requests, m02_codec, m03_flight, m04_peers, m05_once, m06_notify, m07_memory, m08_transfer,
               m09_threads, m10_startup, m11_floods)

ALL = (m01_requests, m02_codec, m03_flight, m04_peers, m05_once, m06_notify, m07_memory, m08_transfer, m09_threads,
       m10_startup, m11_floods)
