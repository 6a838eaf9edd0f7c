//! What Node Auto Provisioning plans with: the capacity it expects of a size before a node exists.
//!
//! The figures are those of karpenter-provider-azure (`pkg/providers/instancetype/instancetype.go` at 352646f5). A real
//! node reports more memory than planned; for a node that exists use its `status.allocatable`, never this.

use super::catalogue::Size;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a node is planned to offer to pods.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Allocatable {
    pub cpu_millicores: u64,
    pub memory_bytes: u64,
}

/// What NAP plans that a node of this size offers to pods.
#[must_use]
pub fn planned_allocatable(size: &Size) -> Allocatable {
    planned(size.vcpus, size.memory_gib)
}

fn planned(vcpus: u32, memory_gib: u32) -> Allocatable {
    let cpu_millicores = u64::from(vcpus) * 1000;
    Allocatable {
        cpu_millicores: cpu_millicores.saturating_sub(kube_reserved_cpu(vcpus)),
        memory_bytes: planned_capacity(memory_gib)
            .saturating_sub(kube_reserved_memory(memory_gib))
            .saturating_sub(EVICTION_THRESHOLD),
    }
}

/// The hard eviction threshold of memory.
const EVICTION_THRESHOLD: u64 = 750 * MIB;

/// Memory that the virtual machine is expected to show: nominal less `VM_MEMORY_OVERHEAD_PERCENT`, by default 7.5%.
#[must_use]
pub fn planned_capacity(memory_gib: u32) -> u64 {
    u64::from(memory_gib) * GIB / 1000 * 925
}

/// CPU kept for the kubelet: 6% of the first core, 4% of the second, 2% of the next two, 1% of the rest.
/// 100m at 2 vCPUs, 140m at 4, 180m at 8, 260m at 16, 740m at 64.
fn kube_reserved_cpu(vcpus: u32) -> u64 {
    tiers(u64::from(vcpus), &[(1, 60), (1, 40), (2, 20), (u64::MAX, 10)])
}

/// Memory kept for the kubelet: 25% of the first 4 GiB, 20% of the next 4, 10% of the next 8, 6% up to 128 GiB, and 2%
/// of the rest. Taken on nominal memory, whatever the version of Kubernetes and the number of pods.
fn kube_reserved_memory(memory_gib: u32) -> u64 {
    tiers(u64::from(memory_gib), &[(4, 25), (4, 20), (8, 10), (112, 6), (u64::MAX, 2)]) * GIB / 100
}

/// The sum over tiers of (units in the tier) x (rate of the tier).
fn tiers(mut units: u64, tiers: &[(u64, u64)]) -> u64 {
    let mut sum = 0;
    for &(width, rate) in tiers {
        let within = units.min(width);
        sum += within * rate;
        units -= within;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::catalogue::size;

    /// Name, planned CPU in millicores, planned memory in GiB, and how many shards of 4 CPU and 32Gi fit.
    const FIT: [(&str, u64, f64, u64); 7] = [
        ("Standard_E8s_v5", 7_820, 52.99, 1),
        ("Standard_D16s_v5", 15_740, 52.99, 1),
        ("Standard_E16s_v5", 15_740, 108.35, 3),
        ("Standard_E20s_v5", 19_700, 137.31, 4),
        ("Standard_E32s_v5", 31_580, 224.19, 7),
        ("Standard_E48s_v5", 47_420, 340.03, 10),
        ("Standard_E64s_v5", 63_260, 455.87, 14),
    ];

    #[test]
    fn the_plan_is_that_of_nap() {
        for (name, cpu, memory, shards) in FIT {
            let plan = planned_allocatable(size(name).unwrap());
            assert_eq!(plan.cpu_millicores, cpu, "{name}");
            #[expect(clippy::cast_precision_loss, reason = "compared to two decimals")]
            let planned_gib = plan.memory_bytes as f64 / GIB as f64;
            assert!((planned_gib - memory).abs() < 0.006, "{name}: {planned_gib}");
            let fit = (plan.cpu_millicores / 4_000).min(plan.memory_bytes / (32 * GIB));
            assert_eq!(fit, shards, "{name}");
        }
    }

    #[test]
    fn cpu_is_reserved_in_steps() {
        let steps = [(2, 100), (4, 140), (8, 180), (16, 260), (20, 300), (32, 420), (48, 580), (64, 740)];
        for (vcpus, reserved) in steps {
            assert_eq!(kube_reserved_cpu(vcpus), reserved, "{vcpus} vCPUs");
        }
    }

    #[test]
    fn a_tiny_size_never_goes_below_zero() {
        assert_eq!(planned(0, 0), Allocatable { cpu_millicores: 0, memory_bytes: 0 });
    }
}
