//! Amounts in sentences: what there is rounded down, what is needed rounded up, so that no sentence contradicts itself.

use crate::domain::quantity::Quantity;

const NANOS_PER_UNIT: i128 = 1_000_000_000;
const MIB: i128 = (1 << 20) * NANOS_PER_UNIT;
const GIB: i128 = (1 << 30) * NANOS_PER_UNIT;

/// An amount that there is: `24Gi`, `3.24`. Less than nothing is nothing.
pub(super) fn has(resource: &str, amount: Quantity) -> String {
    show(resource, amount.as_nanos().max(0), |value, by| value / by)
}

/// An amount that is needed: `59.2Gi`, `4`.
pub(super) fn takes(resource: &str, amount: Quantity) -> String {
    show(resource, amount.as_nanos().max(0), |value, by| (value + by - 1) / by)
}

/// `4 CPU and 32Gi of memory`.
pub(super) fn needs(requests: crate::domain::quantity::Resources) -> String {
    format!("{} CPU and {} of memory", takes("cpu", requests.cpu), takes("memory", requests.memory))
}

/// `3.24 CPU and 14.1Gi of memory`.
pub(super) fn leaves(free: crate::domain::quantity::Resources) -> String {
    format!("{} CPU and {} of memory", has("cpu", free.cpu), has("memory", free.memory))
}

fn show(resource: &str, nanos: i128, divide: impl Fn(i128, i128) -> i128) -> String {
    match resource {
        "memory" if nanos >= GIB => format!("{}Gi", decimal(divide(nanos * 10, GIB), 1)),
        "memory" => format!("{}Mi", divide(nanos, MIB)),
        "cpu" => decimal(divide(nanos * 1000, NANOS_PER_UNIT), 3),
        _ => divide(nanos, NANOS_PER_UNIT).to_string(),
    }
}

/// `value` with its last `digits` after the point, without zeros at the end.
fn decimal(value: i128, digits: u32) -> String {
    let scale = 10_i128.pow(digits);
    let width = usize::try_from(digits).unwrap_or(0);
    let text = format!("{}.{:0width$}", value / scale, value % scale);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::quantity;

    #[test]
    fn what_there_is_is_rounded_down_and_what_is_needed_up() {
        for (resource, amount, there_is, needed) in [
            ("memory", "32Gi", "32Gi", "32Gi"),
            ("memory", "63565515300", "59.1Gi", "59.2Gi"),
            ("memory", "800Mi", "800Mi", "800Mi"),
            ("memory", "0", "0Mi", "0Mi"),
            ("memory", "-1Gi", "0Mi", "0Mi"),
            ("cpu", "4", "4", "4"),
            ("cpu", "15740m", "15.74", "15.74"),
            ("cpu", "100", "100", "100"),
            ("cpu", "1500u", "0.001", "0.002"),
            ("nodes", "3", "3", "3"),
        ] {
            assert_eq!(has(resource, quantity(amount)), there_is, "{amount}");
            assert_eq!(takes(resource, quantity(amount)), needed, "{amount}");
        }
    }
}
