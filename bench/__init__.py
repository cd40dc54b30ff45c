"""The harness: contracts, data, training loops, runner and report; knows no attack or victim."""
