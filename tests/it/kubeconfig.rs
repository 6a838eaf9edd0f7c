//! Which cluster is meant: the kubeconfig, its contexts and users, as kubectl takes them.

use std::path::Path;

use crate::support::{Folder, Run};
use crate::{says_what_next, shardctl};

/// A kubeconfig of two contexts whose servers are closed ports.
const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- {name: east, cluster: {server: 'http://127.0.0.1:1'}}
- {name: west, cluster: {server: 'http://127.0.0.1:2'}}
users:
- {name: admin, user: {token: abc}}
contexts:
- {name: production, context: {cluster: east, user: admin, namespace: shop}}
- {name: staging, context: {cluster: west, user: admin}}
- {name: no-cluster, context: {cluster: gone, user: admin}}
- {name: no-user, context: {cluster: east, user: gone}}
current-context: production
";

/// What `status` says with a KUBECONFIG.
fn status(home: &Folder, kubeconfig: &str, args: &[&str]) -> Run {
    let mut command = shardctl(home).command();
    command.env("KUBECONFIG", kubeconfig).arg("status").args(args);
    Run::from(command.output().expect("shardctl starts"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path")
}

#[test]
fn a_name_that_is_not_there_is_told_with_the_nearest() {
    let home = Folder::new("kubeconfig");
    let path = home.write("config", KUBECONFIG);
    let cases: [(&[&str], &str, &str); 7] = [
        (&["--context", "prodution"], "no context `prodution`", "did you mean `production`?"),
        (&["--context", "zzz"], "no context `zzz`", "it has production, staging, no-cluster, no-user"),
        (&["--user", "admn"], "no user `admn`", "did you mean `admin`?"),
        (&["--cluster", "eats"], "no cluster `eats`", "did you mean `east`?"),
        (
            &["--context", "no-cluster"],
            "no cluster `gone`, which context `no-cluster` names",
            "it has east, west",
        ),
        (&["--context", "no-user"], "no user `gone`, which context `no-user` names", "it has admin"),
        (&["--context", ""], "no context ``", "it has production"),
    ];
    for (args, problem, hint) in cases {
        status(&home, text(&path), args).ended(2).complained(problem).complained(&format!("hint: {hint}"));
    }
}

#[test]
fn a_kubeconfig_that_cannot_be_used_says_why() {
    let home = Folder::new("kubeconfig");
    for (content, expected) in [
        ("", "the kubeconfig has no current context"),
        ("hello", "line 1: a field with its value"),
        ("{a", "line 1: unclosed bracket"),
        ("apiVersion: v1\nclusters: 5\n", "line 2: a list is expected here"),
        (
            &KUBECONFIG.replace("current-context: production\n", ""),
            "choose one with --context NAME; it has production",
        ),
        (
            &KUBECONFIG.replace("current-context: production", "current-context: prod"),
            "no context `prod`, its current context",
        ),
        (&KUBECONFIG.replace("http://127.0.0.1:1", "not a url"), "failed to parse cluster url"),
    ] {
        let path = home.write("config", content);
        let run = status(&home, text(&path), &[]).ended(2).complained(expected);
        says_what_next(&run);
        assert_eq!(run.stderr.lines().count(), 2, "{}", run.stderr);
    }
    let missing = home.path().join("missing");
    for (path, expected) in
        [(missing.as_path(), "no such file or directory"), (home.path(), "is a directory")]
    {
        let run = shardctl(&home).run(["status", "--kubeconfig", text(path)]);
        let run = run.ended(2).complained(&format!("read the kubeconfig {}: {expected}", path.display()));
        says_what_next(&run);
    }
    let run = shardctl(&home).run(["status"]).ended(2).complained("there is no kubeconfig");
    says_what_next(&run);
}

#[test]
fn files_of_kubeconfig_are_merged_and_one_may_be_missing() {
    let home = Folder::new("kubeconfig");
    let first = home.write("first", KUBECONFIG);
    let second = home.write(
        "second",
        KUBECONFIG
            .replace("name: staging", "name: laboratory")
            .replace("current-context: production", "current-context: staging"),
    );
    let missing = home.path().join("missing");
    let all = format!("{}:{}::{}", missing.display(), first.display(), second.display());
    // The first file to name a current context wins; the second has a context that the first has not.
    status(&home, &all, &[]).ended(1).complained("in namespace shop").complained("http://127.0.0.1:1)");
    status(&home, &all, &["--context", "laboratory"]).ended(1).complained("http://127.0.0.1:2)");
    let none = format!("{}:{}", missing.display(), missing.display());
    status(&home, &none, &[]).ended(2).complained("missing: no such file or directory");
}

#[test]
fn the_file_at_home_is_the_last_resort() {
    let home = Folder::new("kubeconfig");
    std::fs::create_dir(home.path().join(".kube")).expect("a folder");
    home.write(".kube/config", KUBECONFIG);
    shardctl(&home).run(["status"]).ended(1).complained("http://127.0.0.1:1)");
}

#[test]
fn a_login_program_that_is_not_installed_is_named() {
    let home = Folder::new("kubeconfig");
    let login =
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-login, interactiveMode: Never}";
    let path = home.write("config", KUBECONFIG.replace("token: abc", login));
    status(&home, text(&path), &[])
        .ended(1)
        .complained("get credentials from `no-such-login`: no such file or directory")
        .complained("hint: install `no-such-login`");
}
