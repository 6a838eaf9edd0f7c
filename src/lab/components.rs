//! What a lab is made of: the pinned programs, the files taken from their modules, and the key of a build.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use sha2::{Digest as _, Sha256};

use super::record::Tier;

/// The lab's Go module: every component at the version that fits the others.
pub const GO_MOD: &str = include_str!("../../lab/go.mod");
/// The checksums of everything that `GO_MOD` asks for.
pub const GO_SUM: &str = include_str!("../../lab/go.sum");

/// A program of the lab.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Program {
    /// The name of the binary.
    pub name: &'static str,
    /// The Go package that it is built from.
    pub package: &'static str,
}

/// The programs that every lab needs, in the order in which they are built: the quick ones that others share code with come first.
pub const PROGRAMS: [Program; 10] = [
    Program { name: "kwokctl", package: "sigs.k8s.io/kwok/cmd/kwokctl" },
    Program { name: "kwok", package: "sigs.k8s.io/kwok/cmd/kwok" },
    Program { name: "etcd", package: "go.etcd.io/etcd/server/v3" },
    Program { name: "kube-apiserver", package: "k8s.io/kubernetes/cmd/kube-apiserver" },
    Program { name: "kube-controller-manager", package: "k8s.io/kubernetes/cmd/kube-controller-manager" },
    Program { name: "kube-scheduler", package: "k8s.io/kubernetes/cmd/kube-scheduler" },
    Program { name: "kubectl", package: "k8s.io/kubernetes/cmd/kubectl" },
    Program { name: "karpenter", package: "sigs.k8s.io/karpenter/kwok" },
    Program { name: "metrics-server", package: "sigs.k8s.io/metrics-server/cmd/metrics-server" },
    Program { name: "vpa-recommender", package: "k8s.io/autoscaler/vertical-pod-autoscaler/pkg/recommender" },
];

/// What only a lab with real nodes needs, and what is only built for one.
pub const NODE_PROGRAMS: [Program; 3] = [
    Program { name: "kubelet", package: "k8s.io/kubernetes/cmd/kubelet" },
    Program { name: "kube-proxy", package: "k8s.io/kubernetes/cmd/kube-proxy" },
    Program { name: "coredns", package: "github.com/coredns/coredns" },
];

/// The programs of a tier.
pub fn programs(tier: Tier) -> impl Iterator<Item = Program> {
    let of_nodes: &[Program] = match tier {
        Tier::Kwok => &[],
        Tier::Real => &NODE_PROGRAMS,
    };
    PROGRAMS.iter().chain(of_nodes).copied()
}

/// A file that a lab needs and that belongs to one of the modules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub module: &'static str,
    /// Its path inside the module.
    pub path: &'static str,
}

impl Manifest {
    /// The name of the copy.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.path.rsplit('/').next().unwrap_or(self.path)
    }
}

const KARPENTER: &str = "sigs.k8s.io/karpenter";
const KWOK: &str = "sigs.k8s.io/kwok";

/// Every file taken from a module.
pub const MANIFESTS: [Manifest; 8] = [
    Manifest { module: KARPENTER, path: "pkg/apis/crds/karpenter.sh_nodepools.yaml" },
    Manifest { module: KARPENTER, path: "pkg/apis/crds/karpenter.sh_nodeclaims.yaml" },
    Manifest { module: KARPENTER, path: "pkg/apis/crds/karpenter.sh_nodeoverlays.yaml" },
    Manifest { module: KARPENTER, path: "pkg/apis/crds/autoscaling.x-k8s.io_capacitybuffers.yaml" },
    Manifest { module: KARPENTER, path: "kwok/apis/crds/karpenter.kwok.sh_kwoknodeclasses.yaml" },
    Manifest { module: "k8s.io/autoscaler/vertical-pod-autoscaler", path: "deploy/vpa-v1-crd-gen.yaml" },
    Manifest { module: KWOK, path: "kustomize/metrics/resource/metrics-resource.yaml" },
    Manifest { module: KWOK, path: "kustomize/metrics/usage/usage-from-annotation.yaml" },
];

/// A piece of a module's source that is built otherwise than it was published.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amendment {
    pub module: &'static str,
    /// The file, inside the module.
    pub path: &'static str,
    pub from: &'static str,
    pub to: &'static str,
    /// What the lab would do without it.
    pub without: &'static str,
}

/// Karpenter offers its metrics and its health on all addresses and has no option for that; a lab listens on this
/// machine only.
///
/// kwok ends a pod by its name, at once: when that pod is gone by then, it ends the next one of its name, without its
/// grace period. A kubelet names the pod by its uid, and so does this.
pub const AMENDMENTS: [Amendment; 2] = [
    Amendment {
        module: KARPENTER,
        path: "pkg/operator/operator.go",
        from: r#"fmt.Sprintf(":%d","#,
        to: r#"fmt.Sprintf("127.0.0.1:%d","#,
        without: "Karpenter would listen on all addresses",
    },
    Amendment {
        module: KWOK,
        path: "pkg/kwok/controllers/pod_controller.go",
        from: "Delete(ctx, pod.Name, deleteOpt)",
        to: "Delete(ctx, pod.Name, metav1.DeleteOptions{\n\
             \t\tGracePeriodSeconds: deleteOpt.GracePeriodSeconds,\n\
             \t\tPreconditions:      metav1.NewUIDPreconditions(string(pod.UID)),\n\
             \t})",
        without: "kwok would end pods that it does not mean",
    },
];

/// The modules that are built otherwise than they were published.
#[must_use]
pub fn amended_modules() -> BTreeSet<&'static str> {
    AMENDMENTS.iter().map(|amendment| amendment.module).collect()
}

/// The version of a module, as `GO_MOD` pins it.
#[must_use]
pub fn version_of(module: &str) -> Option<&'static str> {
    GO_MOD.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        (words.next()? == module).then(|| words.next()).flatten().filter(|word| word.starts_with('v'))
    })
}

/// The Go version that `GO_MOD` asks for.
#[must_use]
pub fn go_version() -> Option<&'static str> {
    GO_MOD.lines().find_map(|line| line.strip_prefix("go "))
}

/// The version of Kubernetes that a lab runs.
#[must_use]
pub fn kubernetes_version() -> &'static str {
    version_of("k8s.io/kubernetes").unwrap_or("v0.0.0")
}

/// The linker's flags. Without the version, Kubernetes calls itself v0.0.0.
#[must_use]
pub fn linker_flags() -> String {
    const VERSION: &str = "k8s.io/component-base/version";
    let git_version = kubernetes_version();
    let mut parts = git_version.trim_start_matches('v').split('.');
    let major = parts.next().unwrap_or_default();
    let minor = parts.next().unwrap_or_default();
    format!(
        "-s -w -X {VERSION}.gitVersion={git_version} -X {VERSION}.gitMajor={major} -X {VERSION}.gitMinor={minor}"
    )
}

/// What names a build: everything that its result depends on.
#[must_use]
pub fn key() -> String {
    key_of(GO_MOD, GO_SUM, &linker_flags())
}

fn key_of(go_mod: &str, go_sum: &str, flags: &str) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    };
    add(go_mod);
    add(go_sum);
    add(flags);
    for program in programs(Tier::Real) {
        add(program.name);
        add(program.package);
    }
    for manifest in MANIFESTS {
        add(manifest.module);
        add(manifest.path);
    }
    for amendment in AMENDMENTS {
        add(amendment.module);
        add(amendment.path);
        add(amendment.from);
        add(amendment.to);
    }
    hash.finalize().iter().take(8).fold(String::new(), |mut key, byte| {
        let _ = write!(key, "{byte:02x}");
        key
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_a_tool_of_the_module() {
        for program in programs(Tier::Real) {
            assert!(
                GO_MOD.lines().any(|line| line.trim() == program.package),
                "{} is not in the tool block of lab/go.mod",
                program.package
            );
        }
    }

    #[test]
    fn every_manifest_belongs_to_a_pinned_module() {
        for manifest in MANIFESTS {
            assert!(version_of(manifest.module).is_some(), "{}", manifest.module);
        }
        for module in amended_modules() {
            assert!(version_of(module).is_some(), "{module}");
        }
    }

    #[test]
    fn versions_are_read_from_the_module() {
        assert!(kubernetes_version().starts_with("v1."));
        assert!(go_version().is_some_and(|version| version.starts_with("1.")));
        assert!(linker_flags().contains("gitMajor=1 "));
    }

    #[test]
    fn the_key_depends_on_all_that_goes_into_a_build() {
        let key = key_of("mod", "sum", "flags");
        assert_eq!(key.len(), 16);
        assert!(key.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(key, key_of("mod", "sum", "flags"));
        assert_ne!(key, key_of("mod2", "sum", "flags"));
        assert_ne!(key, key_of("mod", "sum2", "flags"));
        assert_ne!(key, key_of("mod", "sum", "flags2"));
        // Nothing moves from one part to the next unnoticed.
        assert_ne!(key_of("ab", "c", ""), key_of("a", "bc", ""));
    }
}
