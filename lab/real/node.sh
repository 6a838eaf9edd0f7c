#!/bin/sh
# What runs in a node of a real lab. shardctl calls it, and tells it by the environment what it needs (src/lab/real/node.rs).
#   join COMMAND...  enters the node's cgroups and becomes the command
#   init             is process 1 of the node: makes its mounts, starts its daemons
#   run DAEMON       becomes one of the daemons
set -eu

join() {
    for hierarchy in $HIERARCHIES; do
        echo $$ >"$hierarchy/$ID/system/cgroup.procs"
    done
}

run() {
    exec >>"$DIR/$1.log" 2>&1
    case $1 in
    containerd) exec containerd --config "$DIR/containerd.toml" ;;
    kube-proxy) exec "$BIN/kube-proxy" --config="$DIR/kube-proxy.yaml" --v=1 ;;
    kubelet)
        exec "$BIN/kubelet" --config="$DIR/kubelet.yaml" --kubeconfig="$DIR/kubelet.kubeconfig" \
            --hostname-override="$NODE" --node-ip="$ADDRESS" --node-labels="$LABELS" \
            --root-dir=/var/lib/kubelet --cert-dir=/var/lib/kubelet/pki --v=2
        ;;
    esac
}

init() {
    hostname "$NODE"
    mount --make-rshared /
    mount -t tmpfs tmpfs /run
    mount --bind "$DIR/var-lib" /var/lib
    mount --bind "$DIR/var-log" /var/log
    # The kubelet insists on these values and would set them for the whole machine. It is shown files that hold them.
    mkdir -p "$DIR/sysctl"
    for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 kernel/panic_on_oops=1 \
        kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
        file=$DIR/sysctl/$(echo "${setting%=*}" | tr / .)
        echo "${setting#*=}" >"$file"
        mount --bind "$file" "/proc/sys/${setting%=*}"
    done
    # No name outside of the lab leads anywhere: whoever wants to pull an image is told so at once, not when time is over.
    echo 'nameserver 127.0.0.1' >"$DIR/resolv.conf"
    [ ! -e /etc/resolv.conf ] || mount --bind "$DIR/resolv.conf" /etc/resolv.conf
    # These belong to the node's own network namespace.
    echo 1 >/proc/sys/net/ipv4/ip_forward
    echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter

    (run containerd) &
    until ctr version >/dev/null 2>&1; do
        kill -0 $! 2>/dev/null || exit 1
        sleep 0.05
    done
    (run kube-proxy) &
    # A node that starts again has its images.
    for archive in $IMAGES; do
        [ -e "$DIR/imported" ] || ctr -n k8s.io images import "$archive" >/dev/null
    done
    : >"$DIR/imported"
    (run kubelet) &
    : >"$DIR/started"
    # Collects what ends, as a process 1 must.
    while :; do
        wait
        sleep 1
    done
}

case $1 in
join)
    shift
    join
    exec "$@"
    ;;
*) "$@" ;;
esac
