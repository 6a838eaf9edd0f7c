//! Rules over plain values: no I/O, no clock, no Kubernetes client types.

pub mod catalogue;
pub mod nap;
