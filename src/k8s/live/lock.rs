//! The lock on a workload: a Lease, renewed while a run goes on.
//!
//! Times in it are the API server's, told by the `Date` of its answers, so that a machine with a wrong clock neither
//! takes a lock that is held nor holds one that is not. The holder stops writing well before others may take it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::coordination::v1::{Lease, LeaseSpec};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{MicroTime, ObjectMeta};
use kube::Api;
use kube::api::{DeleteParams, PostParams, Preconditions};
use tokio::task::JoinHandle;

use crate::domain::names::WorkloadRef;
use crate::domain::rolling::{RUN_LABEL, RunId, WORKLOAD_LABEL};
use crate::domain::shardset::manifests::MANAGED_BY_LABEL;
use crate::k8s::client::Cluster;
use crate::k8s::error::{Failure, RequestError};

/// After so long without a renewal others may take the lock.
const LEASE_DURATION: Duration = Duration::from_secs(30);
/// The holder writes nothing any more when it has not renewed the lock for so long. The rest of the lease is for requests
/// that are under way, and for the second that a `Date` is coarse.
const TRUSTED_FOR: Duration = Duration::from_secs(20);
const RENEW_EVERY: Duration = Duration::from_secs(5);
/// The `Date` of an answer has whole seconds.
const CLOCK_MARGIN: SignedDuration = SignedDuration::from_secs(2);

/// Who holds a lock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// `ada@workstation (pid 4711)`.
    pub who: String,
    pub since: Option<Timestamp>,
    /// When it ends unless it is renewed, by the API server's clock.
    pub ends: Option<Timestamp>,
    /// How long until then.
    pub ends_in: Duration,
    pub run: Option<String>,
}

/// What became of an attempt to take a lock.
pub enum Taken {
    /// It is ours until the value is dropped or [`Lock::release`]d.
    Ours(Lock),
    HeldBy(Holder),
}

/// A lock that is ours, renewed in the background.
pub struct Lock {
    shared: Arc<Shared>,
    renewing: JoinHandle<()>,
}

struct Shared {
    cluster: Cluster,
    api: Api<Lease>,
    name: String,
    lease: Mutex<Lease>,
    renewed: Mutex<Instant>,
    is_lost: AtomicBool,
}

impl Drop for Lock {
    fn drop(&mut self) {
        self.renewing.abort();
    }
}

/// The name of a workload's lease.
#[must_use]
pub fn lease_name(workload: &str) -> String {
    format!("shardctl-{workload}")
}

impl Cluster {
    /// Takes the lock on a workload for a run, if it is free or has ended.
    ///
    /// # Errors
    /// When the lease cannot be read or written; somebody else's lock is no error.
    pub async fn take_lock(
        &self,
        workload: &WorkloadRef,
        run: &RunId,
        who: &str,
    ) -> Result<Taken, RequestError> {
        let api: Api<Lease> = Api::namespaced(self.client.clone(), &workload.namespace);
        let name = lease_name(&workload.name);
        let operation = format!("get lease {name}");
        let found = self.find(&operation, || api.get(&name)).await?;
        let now = self.server_now();
        if let Some(holder) = found.as_ref().and_then(|lease| holder(lease, now)) {
            return Ok(Taken::HeldBy(holder));
        }
        let started = Instant::now();
        let fresh = lease(&name, &workload.name, run, who, now);
        let parameters = PostParams { field_manager: Some("shardctl".to_owned()), ..PostParams::default() };
        let written = match found {
            None => self.write(&format!("create lease {name}"), api.create(&parameters, &fresh)).await,
            Some(old) => {
                let mut fresh = fresh;
                fresh.metadata.resource_version.clone_from(&old.metadata.resource_version);
                let transitions = old.spec.and_then(|spec| spec.lease_transitions).unwrap_or(0);
                if let Some(spec) = &mut fresh.spec {
                    spec.lease_transitions = Some(transitions + 1);
                }
                self.write(&format!("take lease {name}"), api.replace(&name, &parameters, &fresh)).await
            }
        };
        let lease = match written {
            Ok(lease) => lease,
            // Somebody else was faster.
            Err(error) if error.failure == Failure::Conflict => {
                let found = self.read(&operation, || api.get(&name)).await?;
                let now = self.server_now();
                return match holder(&found, now) {
                    Some(holder) => Ok(Taken::HeldBy(holder)),
                    None => Err(error),
                };
            }
            Err(error) => return Err(error),
        };
        let shared = Arc::new(Shared {
            cluster: self.clone(),
            api,
            name,
            lease: Mutex::new(lease),
            renewed: Mutex::new(started),
            is_lost: AtomicBool::new(false),
        });
        let renewing = tokio::spawn(Arc::clone(&shared).renew());
        Ok(Taken::Ours(Lock { shared, renewing }))
    }

    /// Who holds the lock on a workload, if anybody does.
    ///
    /// # Errors
    /// When the lease cannot be read.
    pub async fn lock_holder(&self, workload: &WorkloadRef) -> Result<Option<Holder>, RequestError> {
        let api: Api<Lease> = Api::namespaced(self.client.clone(), &workload.namespace);
        let name = lease_name(&workload.name);
        let found = self.find(&format!("get lease {name}"), || api.get(&name)).await?;
        Ok(found.and_then(|lease| holder(&lease, self.server_now())))
    }
}

fn lease(name: &str, workload: &str, run: &RunId, who: &str, now: Timestamp) -> Lease {
    let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    Lease {
        metadata: ObjectMeta {
            name: Some(name.to_owned()),
            labels: Some(
                [
                    label(MANAGED_BY_LABEL, "shardctl"),
                    label(WORKLOAD_LABEL, workload),
                    label(RUN_LABEL, run.as_str()),
                ]
                .into(),
            ),
            ..ObjectMeta::default()
        },
        spec: Some(LeaseSpec {
            holder_identity: Some(who.to_owned()),
            lease_duration_seconds: i32::try_from(LEASE_DURATION.as_secs()).ok(),
            acquire_time: Some(MicroTime(now)),
            renew_time: Some(MicroTime(now)),
            lease_transitions: Some(0),
            ..LeaseSpec::default()
        }),
    }
}

/// Who holds a lease; none when nobody does, or its time is over.
fn holder(lease: &Lease, now: Timestamp) -> Option<Holder> {
    let spec = lease.spec.as_ref()?;
    let who = spec.holder_identity.clone().filter(|who| !who.is_empty())?;
    let duration = SignedDuration::from_secs(spec.lease_duration_seconds.unwrap_or(0).into());
    let ends = spec.renew_time.as_ref().map(|renewed| renewed.0 + duration + CLOCK_MARGIN);
    let left = ends.map_or(SignedDuration::ZERO, |ends| ends.duration_since(now));
    left.is_positive().then(|| Holder {
        who,
        since: spec.acquire_time.as_ref().map(|time| time.0),
        ends,
        ends_in: Duration::try_from(left).unwrap_or_default(),
        run: lease.metadata.labels.as_ref().and_then(|labels| labels.get(RUN_LABEL)).cloned(),
    })
}

impl Lock {
    /// Whether the lock is surely ours: it was renewed a short while ago, and nobody has taken it.
    #[must_use]
    pub fn is_held(&self) -> bool {
        let renewed = *self.shared.renewed.lock().unwrap_or_else(PoisonError::into_inner);
        !self.shared.is_lost.load(Ordering::Relaxed) && renewed.elapsed() < TRUSTED_FOR
    }

    /// Gives the lock back.
    ///
    /// # Errors
    /// When the lease cannot be deleted; it ends by itself then.
    pub async fn release(self) -> Result<(), RequestError> {
        self.renewing.abort();
        let shared = &self.shared;
        let meta = shared.lease.lock().unwrap_or_else(PoisonError::into_inner).metadata.clone();
        let exactly = Preconditions { uid: meta.uid, resource_version: None };
        let parameters = DeleteParams::default().preconditions(exactly);
        let operation = format!("delete lease {}", shared.name);
        match shared.cluster.write(&operation, shared.api.delete(&shared.name, &parameters)).await {
            Ok(_) => Ok(()),
            // Not there, or another's.
            Err(error) if matches!(error.failure, Failure::NotFound | Failure::Conflict) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

impl Shared {
    async fn renew(self: Arc<Self>) {
        let parameters = PostParams { field_manager: Some("shardctl".to_owned()), ..PostParams::default() };
        loop {
            tokio::time::sleep(RENEW_EVERY).await;
            let mut lease = self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
            if let Some(spec) = &mut lease.spec {
                spec.renew_time = Some(MicroTime(self.cluster.server_now()));
            }
            let started = Instant::now();
            let operation = format!("renew lease {}", self.name);
            let renewal = self.cluster.write(&operation, self.api.replace(&self.name, &parameters, &lease));
            match tokio::time::timeout(TRUSTED_FOR / 2, renewal).await {
                Ok(Ok(renewed)) => {
                    *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = renewed;
                    *self.renewed.lock().unwrap_or_else(PoisonError::into_inner) = started;
                }
                Ok(Err(error)) if matches!(error.failure, Failure::Conflict | Failure::NotFound) => {
                    // An answer that was lost on its way here makes our own renewal look like somebody else's.
                    if !self.is_still_ours().await {
                        self.is_lost.store(true, Ordering::Relaxed);
                        return;
                    }
                }
                // The next renewal may succeed; until it does, trust runs out by itself.
                Ok(Err(_)) | Err(_) => {}
            }
        }
    }

    async fn is_still_ours(&self) -> bool {
        let identity = |lease: &Lease| lease.spec.as_ref().and_then(|spec| spec.holder_identity.clone());
        let mine = self.lease.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let operation = format!("get lease {}", self.name);
        match self.cluster.find(&operation, || self.api.get(&self.name)).await {
            Ok(Some(found))
                if found.metadata.uid == mine.metadata.uid && identity(&found) == identity(&mine) =>
            {
                *self.lease.lock().unwrap_or_else(PoisonError::into_inner) = found;
                true
            }
            Ok(_) => false,
            Err(_) => true,
        }
    }
}
