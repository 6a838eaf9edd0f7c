# The few words a person needs. Each line is a command that can be typed by hand.

CACHE ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/shardctl/lab
DEMO := target/demo
SHARDCTL := target/debug/shardctl
# Shows a command and runs it in the demo's own lab: the kubeconfig of the user is neither read nor written.
define in_demo
	@printf '\n$$ shardctl %s\n' '$(1)'
	@eval "$$($(SHARDCTL) lab env --name demo)" && $(SHARDCTL) $(1)
endef

.PHONY: help demo demo-down test bench lint build lab real-lab lab-down

help:
	@echo 'make demo       a ten-shard service on a real control plane on this machine; make demo-down ends it'
	@echo 'make test       unit, property and lab tests'
	@echo 'make bench      the numbers of docs/benchmarks.md, side by side'
	@echo 'make lint       formatting and clippy'
	@echo 'make lab        a lab to try things on; make lab-down ends it'
	@echo 'make real-lab   the same with real nodes, containers and network; needs root'

demo: build
	$(SHARDCTL) lab up --name demo --node-launch 3s --pod-start 1s
	@mkdir -p $(DEMO)
	$(call in_demo,init --node-class KWOKNodeClass.karpenter.kwok.sh/default \
	  --image registry.example/demo:1.0.0 --storage-class managed-csi-premium-retain > $(DEMO)/shardset.yaml)
	$(call in_demo,deploy -f $(DEMO)/shardset.yaml --phase explore --yes)
	$(call in_demo,status -f $(DEMO)/shardset.yaml)
	$(call in_demo,verify -f $(DEMO)/shardset.yaml)
	$(call in_demo,packing -f $(DEMO)/shardset.yaml)
	$(call in_demo,migrate -f $(DEMO)/shardset.yaml --to stable --strategy canary --settle 2s \
	  --delete-source-pool --yes)
	$(call in_demo,rollout status -f $(DEMO)/shardset.yaml)
	$(call in_demo,verify -f $(DEMO)/shardset.yaml --phase stable)
	@echo
	@echo 'The service runs. Try, after   eval "$$($(SHARDCTL) lab env --name demo)"'
	@echo '  $(SHARDCTL) status -n biometric-shards --watch'
	@echo '  $(SHARDCTL) lab status'
	@echo '  kubectl annotate pod -n biometric-shards biometric-shard-3 lab.shardctl.dev/health=503   and verify again'
	@echo '  $(SHARDCTL) upgrade -n biometric-shards --image registry.example/demo:1.1.0 --strategy canary'
	@echo '  $(SHARDCTL) rollout history -n biometric-shards'
	@echo 'make demo-down stops it and leaves nothing behind.'

demo-down:
	$(SHARDCTL) lab down --name demo
	rm -rf $(DEMO)

# The lab tests start labs of their own and take them down; these find the shard server that `build` made. Those on real
# nodes say why they are skipped where the machine cannot run them.
test: build
	cargo test --lib --bins --tests --examples
	cargo test --doc

lint:
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings

build:
	cargo build --bins --examples

# Starts a lab. The shard server is left where an installed shardctl finds it.
lab: build
	install -D target/debug/examples/shard-server $(CACHE)/shard-server
	$(SHARDCTL) lab up

real-lab: build
	$(SHARDCTL) lab up --tier real

lab-down:
	$(SHARDCTL) lab down

# What the commands cost next to what was asked: docs/benchmarks.md. What is measured is the release build; the program
# that measures need not be one.
bench:
	cargo build --release --bin shardctl --example shard-server
	cargo bench --profile dev --bench commands
	cargo bench --profile dev --bench outage -- --no-sleep
	cargo bench --profile dev --bench routing
