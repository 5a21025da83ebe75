#!/usr/bin/env python3
"""Prints the largest difference of the weights of two checkpoints, by network: compare.py A.safetensors B.safetensors [LIMIT].

Fails if a weight differs by more than LIMIT. Running statistics count too.
"""
import array
import json
import struct
import sys


def weights(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    found = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if not name.startswith("networks.") or entry["dtype"] != "F32":
            continue
        begin, end = (8 + length + offset for offset in entry["data_offsets"])
        found[name] = array.array("f", data[begin:end])
    return found


first, second = weights(sys.argv[1]), weights(sys.argv[2])
assert first.keys() == second.keys(), "the checkpoints are of different networks"
largest = {}
for name in first:
    difference = max((abs(a - b) for a, b in zip(first[name], second[name])), default=0)
    network = name.split(".")[1]
    largest[network] = max(largest.get(network, 0), difference)
for network, difference in largest.items():
    print(f"  network {network}: largest difference {difference:.2g}")
if len(sys.argv) > 3 and max(largest.values()) > float(sys.argv[3]):
    sys.exit(f"the weights differ by more than {sys.argv[3]}")
