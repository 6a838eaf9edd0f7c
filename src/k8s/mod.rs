//! The only importer of the `kube` crate: connections, reads into domain types, writes.

mod announce;
mod apply;
mod client;
mod convert;
mod error;
mod eviction;
mod health;
mod karpenter;
mod kubeconfig;
mod live;
mod plan;
mod prerequisites;
mod raw;
mod routing;
mod snapshot;
mod watch;

pub use apply::{ApplyOptions, Permission};
pub use client::{Cluster, FIELD_MANAGER, RequestLog};
pub use error::{Failure, RequestError};
pub use eviction::PodsToEvict;
pub use kubeconfig::ConnectOptions;
pub use live::{Holder, Journalled, KEPT_RUNS, LiveCluster, Lock, Taken, journal_name, lease_name};
pub use plan::{PoolStanding, Revision, pod_template};
pub use routing::{ClientServices, Heard, RoutingQuestion, Surveyed};
pub use snapshot::{Ground, Scope};
pub use watch::Changes;
