# The lab: a real control plane on this machine. See docs/lab.md.

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/shardctl/lab

.PHONY: lab lab-down

# Starts a lab. The shard server is built too, and left where an installed shardctl finds it.
lab:
	cargo build --bin shardctl --example shard-server
	install -D target/debug/examples/shard-server $(CACHE)/shard-server
	target/debug/shardctl lab up

lab-down:
	cargo run --quiet -- lab down
