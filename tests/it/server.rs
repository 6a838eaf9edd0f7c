//! Servers that are no API server: nobody there, silence, another language. What Kubernetes itself answers is tested on a lab.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::support::{Folder, Run, Shardctl};
use crate::{says_what_next, shardctl};

/// A kubeconfig for a server, and shardctl with it.
fn pointed_to(home: &Folder, server: &str) -> Shardctl {
    let kubeconfig = home.write(
        "config",
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: c\n\
             clusters: [{{name: c, cluster: {{server: '{server}', insecure-skip-tls-verify: true}}}}]\n\
             users: [{{name: c, user: {{token: abc}}}}]\n\
             contexts: [{{name: c, context: {{cluster: c, user: c, namespace: shop}}}}]\n"
        ),
    );
    Shardctl { kubeconfig: Some(kubeconfig), ..shardctl(home) }
}

/// Listens on a port of its own, and does `answer` with whoever comes, for as long as the test runs.
fn listen(answer: impl Fn(TcpStream) + Send + 'static) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    std::thread::spawn(move || listener.incoming().flatten().for_each(answer));
    address
}

/// Runs every command that asks the API server, and asserts that each ends with 1, an error and a hint.
#[track_caller]
fn every_command_fails(home: &Folder, shardctl: &Shardctl, args: &[&str], check: impl Fn(Run)) {
    let file = home.write("shardset.yaml", shardctl.run(["init"]).ended(0).stdout);
    let file = file.to_str().expect("a path");
    for command in [
        &["status"][..],
        &["status", "kafka"],
        &["verify", "kafka"],
        &["packing", "kafka"],
        &["vpa-report", "kafka"],
        &["version"],
        &["init", "--from", "kafka"],
        &["deploy", "-f", file, "--phase", "explore", "--yes"],
        &["delete", "-f", file, "--yes"],
    ] {
        let run = shardctl.run(command.iter().chain(args)).ended(1);
        says_what_next(&run);
        check(run);
    }
}

#[test]
fn a_closed_port_is_a_refused_connection() {
    // The port was free a moment ago, and nobody is told of it.
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a port");
    let home = Folder::new("server");
    let shardctl = pointed_to(&home, &format!("https://{closed}"));
    let expected = format!(": connection refused (server https://{closed})");
    every_command_fails(&home, &shardctl, &[], |run| drop(run.complained(&expected)));
}

#[test]
fn a_server_that_never_answers_is_given_up_on() {
    let silent = listen(std::mem::forget);
    let home = Folder::new("server");
    let shardctl = pointed_to(&home, &format!("http://{silent}"));
    every_command_fails(&home, &shardctl, &["--request-timeout", "300ms"], |run| {
        drop(run.complained("no answer within 300ms").complained("--request-timeout 60s"));
    });
}

#[test]
fn a_server_that_speaks_something_else_is_no_api_server() {
    let garbage = listen(|mut stream| {
        let _ = stream.read(&mut [0; 1024]);
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n");
    });
    let page = listen(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let body = "<html>Welcome to nginx!</html>";
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes());
    });
    let home = Folder::new("server");
    for (server, expected) in [
        (format!("http://{garbage}"), "what answers is no Kubernetes API server"),
        (format!("https://{garbage}"), "what answers is no Kubernetes API server"),
        (format!("http://{page}"), "the answer is not what an API server says"),
    ] {
        let shardctl = pointed_to(&home, &server);
        let run = shardctl.run(["status", "kafka"]).ended(1).complained(expected);
        says_what_next(&run);
    }
}

#[test]
fn a_name_that_does_not_resolve_is_told() {
    let home = Folder::new("server");
    let shardctl = pointed_to(&home, "https://no-such-host.invalid");
    let run = shardctl.run(["status", "kafka"]).ended(1).complained("(server https://no-such-host.invalid)");
    says_what_next(&run);
}

#[test]
fn the_version_of_the_client_is_told_whatever_the_server_says() {
    let home = Folder::new("server");
    let shardctl = pointed_to(&home, "https://127.0.0.1:1");
    shardctl.run(["version"]).ended(1).said(concat!("Client Version: v", env!("CARGO_PKG_VERSION")));
    shardctl.run(["version", "--client"]).ended(0);
}
