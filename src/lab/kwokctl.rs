//! kwokctl: puts the control plane together, with certificates, start order and log files.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use super::components::kubernetes_version;
use super::layout::{BuildFolder, LabFolder};
use super::ports::Ports;

/// What kwokctl is told, with one simulated kubelet's behaviour per stage.
#[must_use]
pub fn configuration(lab: &LabFolder, build: &BuildFolder, ports: &Ports, pod_start: Duration) -> String {
    let binaries = build.binaries();
    let words: [(&str, String); 10] = [
        ("@NAME@", lab.name().to_string()),
        ("@BIN@", binaries.display().to_string()),
        ("@ETCD_PORT@", ports.etcd.to_string()),
        ("@ETCD_PEER_PORT@", ports.etcd_peer.to_string()),
        ("@KUBE_APISERVER_PORT@", ports.kube_apiserver.to_string()),
        ("@KUBE_CONTROLLER_MANAGER_PORT@", ports.kube_controller_manager.to_string()),
        ("@KUBE_SCHEDULER_PORT@", ports.kube_scheduler.to_string()),
        ("@KWOK_PORT@", ports.kwok.to_string()),
        ("@KUBERNETES_VERSION@", kubernetes_version().to_owned()),
        ("@POD_START_MILLISECONDS@", pod_start.as_millis().to_string()),
    ];
    let template = [
        include_str!("../../lab/kwokctl.yaml"),
        include_str!("../../lab/stages/node.yaml"),
        include_str!("../../lab/stages/pod.yaml"),
    ]
    .join("---\n");
    fill(&template, &words)
}

/// Replaces the words of a template.
#[must_use]
pub fn fill(template: &str, words: &[(&str, String)]) -> String {
    words.iter().fold(template.to_owned(), |text, (word, value)| text.replace(word, value))
}

/// `kwokctl create cluster`: certificates, control plane, the kinds that kwok needs.
#[must_use]
pub fn create(lab: &LabFolder, build: &BuildFolder, kubeconfig: &Path) -> Command {
    let mut command = kwokctl(lab, build);
    command
        .arg("--config")
        .arg(lab.kwokctl_configuration())
        .args(["create", "cluster"])
        // Without this it would write to the user's own kubeconfig.
        .arg("--kubeconfig")
        .arg(kubeconfig);
    command
}

/// `kwokctl start cluster`: starts again what has stopped.
#[must_use]
pub fn start(lab: &LabFolder, build: &BuildFolder) -> Command {
    let mut command = kwokctl(lab, build);
    command.args(["start", "cluster"]);
    command
}

fn kwokctl(lab: &LabFolder, build: &BuildFolder) -> Command {
    let mut command = Command::new(build.binary("kwokctl"));
    clean_environment(&mut command);
    command
        .env("KWOK_WORKDIR", lab.kwok())
        // It runs kubectl, which would keep its cache below the user's ~/.kube.
        .env("KUBECACHEDIR", lab.root().join("cache"))
        .args(["--name", lab.name().as_str()])
        .stdin(Stdio::null());
    command
}

/// Removes from a child's environment what could lead it to another cluster, or change its ways.
pub fn clean_environment(command: &mut Command) {
    command.env_remove("KUBECONFIG");
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("KWOK_") {
            command.env_remove(name);
        }
    }
}

/// The programs that kwokctl starts, in start order: our name, the name of its pid and log files, its binary.
pub const CORE: [(&str, &str, &str); 5] = [
    ("etcd", "etcd", "etcd"),
    ("kube-apiserver", "kube-apiserver", "kube-apiserver"),
    ("kube-controller-manager", "kube-controller-manager", "kube-controller-manager"),
    ("kube-scheduler", "kube-scheduler", "kube-scheduler"),
    ("kwok", "kwok-controller", "kwok"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::layout::Layout;

    fn rendered() -> String {
        let layout = Layout::in_folder(Path::new("/h"));
        let lab = layout.lab(&"two".parse().unwrap());
        configuration(&lab, &layout.build(), &Ports::fixed(), Duration::from_millis(2500))
    }

    #[test]
    fn no_word_of_the_template_is_left() {
        let text = rendered();
        for line in text.lines().filter(|line| !line.trim_start().starts_with('#')) {
            let left = line.split('@').nth(1).is_some_and(|word| {
                !word.is_empty() && word.chars().all(|c| c.is_ascii_uppercase() || c == '_')
            });
            assert!(!left, "{line}");
        }
    }

    #[test]
    fn every_document_is_yaml_and_stages_have_names_of_their_own() {
        let text = rendered();
        let mut names = std::collections::BTreeSet::new();
        for document in text.split("\n---\n") {
            let value: serde_json::Value = serde_saphyr::from_str(document).unwrap();
            let name = value["metadata"]["name"].as_str().unwrap().to_owned();
            assert!(names.insert(name.clone()), "{name} twice");
        }
        assert!(names.contains("two") && names.contains("pod-ready") && names.contains("node-register"));
    }

    #[test]
    fn everything_listens_on_this_machine_only() {
        assert!(rendered().contains("bindAddress: 127.0.0.1\n"));
    }

    #[test]
    fn pods_take_the_asked_time_to_start() {
        assert!(rendered().contains("durationMilliseconds: 2500\n"));
    }

    #[test]
    fn the_users_kubeconfig_is_never_named() {
        let layout = Layout::in_folder(Path::new("/h"));
        let lab = layout.lab(&"two".parse().unwrap());
        let command = create(&lab, &layout.build(), &lab.kubeconfig());
        let arguments: Vec<_> = command.get_args().map(|a| a.to_string_lossy().into_owned()).collect();
        let at = arguments.iter().position(|a| a == "--kubeconfig").unwrap();
        assert!(arguments[at + 1].starts_with(lab.root().to_str().unwrap()));
        assert!(command.get_envs().any(|(name, value)| name == "KUBECONFIG" && value.is_none()));
    }
}
