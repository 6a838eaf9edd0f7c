//! Values of the command line of `shardctl plan`.

use crate::domain::packing::Load;
use crate::domain::quantity::Quantity;

/// What `--daemonset-overhead` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GivenOverhead {
    /// As the DaemonSets of the cluster request.
    FromCluster,
    Load(Load),
}

/// Reads `from-cluster`, or `cpu=500m,memory=800Mi` with `pods=8` if wanted.
pub(in crate::commands) fn parse_overhead(text: &str) -> Result<GivenOverhead, String> {
    const FORM: &str = "write from-cluster, or for example cpu=500m,memory=800Mi";
    if text == "from-cluster" {
        return Ok(GivenOverhead::FromCluster);
    }
    let mut load = Load::default();
    let (mut cpu, mut memory) = (None, None);
    for part in text.split(',') {
        let (name, value) = part.split_once('=').ok_or_else(|| FORM.to_owned())?;
        let quantity = || match value.parse::<Quantity>() {
            Ok(amount) if amount >= Quantity::ZERO => Ok(amount),
            Ok(_) => Err(format!("{part} is less than nothing, {FORM}")),
            Err(error) => Err(error.to_string()),
        };
        match name.trim() {
            "cpu" => cpu = Some(quantity()?),
            "memory" => memory = Some(quantity()?),
            "pods" => load.pods = value.parse().map_err(|_| format!("`{value}` is no number of pods"))?,
            _ => return Err(format!("`{name}` is neither cpu, memory nor pods, {FORM}")),
        }
    }
    let (Some(cpu), Some(memory)) = (cpu, memory) else {
        return Err(format!("both cpu and memory are needed, {FORM}"));
    };
    load.requests.cpu = cpu;
    load.requests.memory = memory;
    Ok(GivenOverhead::Load(load))
}

/// Reads `Standard_E16s_v5=4`.
pub(super) fn parse_reserved(text: &str) -> Result<(String, u32), String> {
    let read = || {
        let (size, nodes) = text.split_once('=')?;
        let nodes: u32 = nodes.parse().ok()?;
        (!size.is_empty() && nodes > 0).then(|| (size.to_owned(), nodes))
    };
    read().ok_or_else(|| "write a size and how many, for example Standard_E16s_v5=4".to_owned())
}

/// A number of times a year.
pub(super) fn parse_rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if rate.is_finite() && (0.0..=1000.0).contains(&rate) => Ok(rate),
        _ => Err("write how often in a year, for example 0.5".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::resources;

    #[test]
    fn overhead_is_read() {
        let load = |pods, cpu, memory| GivenOverhead::Load(Load { pods, requests: resources(cpu, memory) });
        assert_eq!(parse_overhead("from-cluster"), Ok(GivenOverhead::FromCluster));
        assert_eq!(parse_overhead("cpu=500m,memory=800Mi"), Ok(load(0, "500m", "800Mi")));
        assert_eq!(parse_overhead("memory=0,cpu=0,pods=8"), Ok(load(8, "0", "0")));
        for wrong in ["", "cpu=1", "cpu", "cpu=-1,memory=1Gi", "cpu=x,memory=1Gi", "disk=1,cpu=1,memory=1"] {
            assert!(parse_overhead(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn reserved_machines_are_read() {
        assert_eq!(parse_reserved("Standard_E16s_v5=4"), Ok(("Standard_E16s_v5".to_owned(), 4)));
        for wrong in ["Standard_E16s_v5", "=4", "Standard_E16s_v5=0", "Standard_E16s_v5=-1", ""] {
            assert!(parse_reserved(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn rates_are_finite_and_not_negative() {
        assert_eq!(parse_rate("0.5"), Ok(0.5));
        assert_eq!(parse_rate("0"), Ok(0.0));
        for wrong in ["-1", "NaN", "inf", "often", "1e9"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }
}
