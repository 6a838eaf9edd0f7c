//! migrate, upgrade, drain and rollout: what they do, what they promise, and what becomes of a run that is killed,
//! disturbed or refused.

mod drain;
mod fault;
mod guarantee;
mod kill;
mod migrate;
mod upgrade;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::Test;
use crate::lab::{Lab, Service, eventually};
use crate::outage::watched;
use crate::outage_watcher::Report;
use crate::support::{Run, Shardctl};

/// The tests of this folder.
pub const TESTS: &[&[Test]] =
    &[kill::TESTS, guarantee::TESTS, fault::TESTS, migrate::TESTS, upgrade::TESTS, drain::TESTS];

/// What a run of shardctl told with `-o json`.
#[derive(Debug)]
pub struct Told {
    pub run: Run,
    /// Its events, in order.
    pub events: Vec<Value>,
    /// The run as it ended; null when it did not begin.
    pub last: Value,
}

impl Told {
    /// Reads what was told: one JSON object in each line, the run in the last.
    #[track_caller]
    pub fn of(run: Run) -> Self {
        let lines = run.stdout.lines().map(|line| {
            let line: Value =
                serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}\n{run:?}"));
            assert_eq!(line["apiVersion"], "shardctl.dev/v1alpha1", "{line}");
            assert!(line["at"].is_string(), "{line}");
            line
        });
        let mut events: Vec<Value> = lines.collect();
        let is_run = |line: &Value| line["kind"] == "Run";
        let last = if events.last().is_some_and(is_run) { events.pop() } else { None };
        assert!(events.iter().all(|event| event["kind"] == "RunEvent"), "{events:#?}");
        Self { run, events, last: last.unwrap_or_default() }
    }

    /// Asserts how it ended, and shows everything when it ended otherwise.
    #[track_caller]
    pub fn ended(self, code: i32) -> Self {
        assert_eq!(self.run.code, code, "\nstdout:\n{}\nstderr:\n{}", self.run.stdout, self.run.stderr);
        self
    }

    /// The events of a type.
    pub fn all(&self, kind: &str) -> Vec<&Value> {
        self.events.iter().filter(|event| event["type"] == kind).collect()
    }

    /// The shards of each wave, in the order in which they went.
    pub fn waves(&self) -> Vec<Vec<u64>> {
        serde_json::from_value(self.last["waves"].clone()).expect("waves")
    }

    /// `running`, `done`, `stopped` or `aborted`.
    pub fn state(&self) -> &str {
        self.last["state"]["kind"].as_str().unwrap_or_default()
    }
}

/// What a run changes for a while, as it stands at a moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Held {
    /// What is given back however a run ends: budgets, placeholders, their class, the lock, a journal that is open.
    pub meanwhile: BTreeMap<String, Value>,
    /// What stays when a run is done, and is taken back when it is aborted: the template, cordons.
    pub purpose: BTreeMap<String, Value>,
}

impl Held {
    pub fn of(service: &Service<'_>) -> Self {
        let (lab, name) = (service.lab, service.name.as_str());
        let (mut meanwhile, mut purpose) = (BTreeMap::new(), BTreeMap::new());
        let named = |kind: &str, object: &Value| {
            format!("{kind}/{}", object["metadata"]["name"].as_str().unwrap_or_default())
        };
        for pool in lab.list("/apis/karpenter.sh/v1/nodepools") {
            let name_of_pool = named("nodepool", &pool);
            if name_of_pool.starts_with(&format!("nodepool/{name}-")) {
                meanwhile.insert(name_of_pool, pool["spec"]["disruption"]["budgets"].clone());
            }
        }
        for class in lab.list("/apis/scheduling.k8s.io/v1/priorityclasses") {
            let name_of_class = named("priorityclass", &class);
            if name_of_class.starts_with(&format!("priorityclass/shardctl-{name}-")) {
                meanwhile.insert(name_of_class, json!("is there"));
            }
        }
        let of_namespace =
            |group: &str, resource: &str| lab.list(&format!("{group}/namespaces/{name}/{resource}"));
        for lease in of_namespace("/apis/coordination.k8s.io/v1", "leases") {
            meanwhile.insert(named("lease", &lease), lease["spec"]["holderIdentity"].clone());
        }
        for budget in of_namespace("/apis/policy/v1", "poddisruptionbudgets") {
            meanwhile.insert(named("pdb", &budget), budget["spec"].clone());
        }
        for pod in of_namespace("/api/v1", "pods?labelSelector=shardctl.dev/run") {
            meanwhile.insert(named("placeholder", &pod), json!("is there"));
        }
        for journal in of_namespace("/api/v1", "configmaps?labelSelector=shardctl.dev/run-state=open") {
            meanwhile.insert(named("open journal", &journal), json!("is there"));
        }
        for node in lab.list(&format!(
            "/api/v1/nodes?labelSelector=karpenter.sh/nodepool%20in%20({name}-explore,{name}-stable)"
        )) {
            if node["spec"]["unschedulable"] == true {
                purpose.insert(named("cordon", &node), json!(true));
            }
        }
        for set in of_namespace("/apis/apps/v1", "statefulsets") {
            let phase = set["metadata"]["annotations"]["shardctl.dev/phase"].clone();
            purpose.insert(named("template", &set), json!([set["spec"]["template"], phase]));
        }
        Self { meanwhile, purpose }
    }

    /// Asserts that nothing of what a run holds meanwhile is left since `before`; a pool that it made may be.
    #[track_caller]
    pub fn nothing_left_since(&self, before: &Self) {
        let mut meanwhile = self.meanwhile.clone();
        meanwhile.retain(|name, _| !name.starts_with("nodepool/") || before.meanwhile.contains_key(name));
        assert_eq!(meanwhile, before.meanwhile);
    }
}

/// How the shards stand: for each, the revision and the pool of its node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shards {
    pub revisions: BTreeSet<String>,
    pub pools: BTreeSet<String>,
    pub nodes: BTreeSet<String>,
    pub images: BTreeSet<String>,
    /// How many there should be, and how many are Ready and not asked to end.
    pub wanted: usize,
    pub up: usize,
}

impl Shards {
    /// Whether all are up.
    pub fn is_whole(&self) -> bool {
        self.up == self.wanted
    }
}

impl Service<'_> {
    /// Runs a rolling command, approved, that tells of itself in JSON and does not settle.
    #[track_caller]
    pub fn roll(&self, args: &[&str]) -> Told {
        self.roll_with(&self.lab.shardctl, args)
    }

    /// The same with another shardctl.
    #[track_caller]
    pub fn roll_with(&self, shardctl: &Shardctl, args: &[&str]) -> Told {
        Told::of(shardctl.run(self.rolling(args)))
    }

    /// The arguments of a rolling command, approved, that tells of itself in JSON and does not settle.
    pub fn rolling(&self, args: &[&str]) -> Vec<String> {
        let common = ["--yes", "-o", "json", "--settle", "0s"];
        let mut args: Vec<String> = args.iter().chain(&common).map(|arg| (*arg).to_owned()).collect();
        if !args.iter().any(|arg| arg == "-f") {
            args.extend(["-n".to_owned(), self.name.clone()]);
        }
        args
    }

    /// A `rollout` command about the service.
    pub fn rollout(&self, args: &[&str]) -> Run {
        self.shardctl(&[&["rollout"], args].concat())
    }

    /// Rolls while somebody watches from outside.
    #[track_caller]
    pub fn roll_watched(&self, args: &[&str]) -> (Report, Told) {
        watched(self, || self.roll(args))
    }

    /// Makes shards so small that all of them fit on a node.
    pub fn make_small(&mut self) {
        self.edit("cpu: \"4\"", "cpu: \"1\"");
        self.edit("memory: 32Gi", "memory: 4Gi");
    }

    /// Makes a pod that wants to be where shards are, unless there is one, and returns the node that has it and all
    /// shards.
    #[track_caller]
    pub fn companion(&self) -> String {
        let path = format!("/api/v1/namespaces/{}/pods?labelSelector=app=companion", self.name);
        if self.lab.list(&path).is_empty() {
            self.apply(COMPANION);
        }
        eventually(|| {
            let pods = self.lab.list(&path);
            let is_running = |pod: &&Value| {
                pod["status"]["phase"] == "Running" && pod["metadata"]["deletionTimestamp"].is_null()
            };
            let with_it: Vec<&str> =
                pods.iter().filter(is_running).filter_map(|pod| pod["spec"]["nodeName"].as_str()).collect();
            let shards = self.shards();
            match with_it.as_slice() {
                [node] if shards.nodes.iter().eq([node]) => Ok((*node).to_owned()),
                _ => Err(format!("{with_it:?} {shards:?}")),
            }
        })
    }

    /// Takes the lock of a dead process away. It would end by itself, half a minute later.
    pub fn free_the_lock(&self) {
        let name = &self.name;
        let lease = format!("/apis/coordination.k8s.io/v1/namespaces/{name}/leases/shardctl-{name}");
        assert!(matches!(self.lab.ask("DELETE", &lease), Ok(_) | Err(404)));
    }

    /// How the shards stand.
    #[track_caller]
    pub fn shards(&self) -> Shards {
        let name = &self.name;
        let pods = self.lab.list(&format!("/api/v1/namespaces/{name}/pods?labelSelector=!shardctl.dev/run"));
        let is_shard = |pod: &&Value| pod["metadata"]["ownerReferences"][0]["kind"] == "StatefulSet";
        let pods: Vec<&Value> = pods.iter().filter(is_shard).collect();
        let texts = |pointer: &str| -> BTreeSet<String> {
            pods.iter().filter_map(|pod| pod.pointer(pointer)?.as_str().map(str::to_owned)).collect()
        };
        let is_up = |pod: &&&Value| {
            let mut conditions = pod["status"]["conditions"].as_array().into_iter().flatten();
            pod["metadata"]["deletionTimestamp"].is_null()
                && conditions.any(|one| one["type"] == "Ready" && one["status"] == "True")
        };
        let nodes = texts("/spec/nodeName");
        let pools = nodes.iter().map(|node| {
            let node = self.lab.ask("GET", &format!("/api/v1/nodes/{node}")).expect("the node");
            node["metadata"]["labels"]["karpenter.sh/nodepool"].as_str().unwrap_or_default().to_owned()
        });
        let set = self.lab.ask("GET", &format!("/apis/apps/v1/namespaces/{name}/statefulsets/{name}"));
        let wanted = set.expect("the set")["spec"]["replicas"].as_u64().expect("a number");
        Shards {
            wanted: usize::try_from(wanted).expect("a number"),
            revisions: texts("/metadata/labels/controller-revision-hash"),
            pools: pools.collect(),
            images: texts("/spec/containers/0/image"),
            up: pods.iter().filter(is_up).count(),
            nodes,
        }
    }

    /// Asserts that all shards are up, of the newest revision, and on one pool.
    #[track_caller]
    pub fn is_whole_on(&self, phase: &str) {
        let shards = self.shards();
        let set = self.get(&format!("statefulset/{}", self.name));
        assert!(shards.is_whole(), "{shards:?}");
        assert!(shards.pools.iter().eq([&format!("{}-{phase}", self.name)]), "{shards:?}");
        let newest = set["status"]["updateRevision"].as_str().expect("a revision");
        assert!(shards.revisions.iter().eq([newest]), "{shards:?}, not {newest}");
    }
}

/// A pod that wants to be where shards are, and is evicted with them.
const COMPANION: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: companion, namespace: NAME}
spec:
  selector: {matchLabels: {app: companion}}
  template:
    metadata: {labels: {app: companion}}
    spec:
      terminationGracePeriodSeconds: 1
      affinity:
        podAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - topologyKey: kubernetes.io/hostname
            labelSelector: {matchExpressions: [{key: apps.kubernetes.io/pod-index, operator: Exists}]}
      containers: [{name: main, image: 'registry.example/companion:1.0.0'}]
";

/// The ordinals of the shards that were down, outage by outage.
pub fn down(report: &Report) -> Vec<BTreeSet<u64>> {
    let ordinal = |pod: &String| pod.rsplit('-').next().and_then(|end| end.parse().ok()).expect("an ordinal");
    report.outages.iter().map(|outage| outage.pods.iter().map(ordinal).collect()).collect()
}

/// A service whose shards are up on one node of explore, where all of them have room twice.
pub fn on_one_node<'a>(lab: &'a Lab, purpose: &str) -> Service<'a> {
    let mut service = lab.service(purpose);
    service.make_small();
    service.deploy("explore");
    service
}

/// A service that is up on explore.
pub fn deployed<'a>(lab: &'a Lab, purpose: &str) -> Service<'a> {
    let service = lab.service(purpose);
    service.deploy("explore");
    service
}
