//! Container images out of programs of this machine: no registry, no container engine.
//!
//! An archive has the form that `docker save` writes: layers and configurations by their digests, and a list of images.
//! Images that share a layer hold it once.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::command::{find, run};
use crate::domain::rolling::PAUSE_IMAGE;
use crate::lab::components::version_of;

/// A service's image: the shard server, and busybox for whoever looks into it.
pub const SHARD_IMAGE: &str = "shardctl.lab/shard";
/// The same without a shell, or anything else to run.
pub const BARE_IMAGE: &str = "shardctl.lab/shard-bare";
/// The versions that both have.
pub const VERSIONS: [&str; 2] = ["1.0.0", "1.1.0"];
/// Anybody but root.
const USER: &str = "65532:65532";

/// The name of CoreDNS' image.
#[must_use]
pub fn coredns_image() -> String {
    format!("shardctl.lab/coredns:{}", version_of("github.com/coredns/coredns").unwrap_or("v1"))
}

/// One layer of an image: a tar archive and its digest.
struct Layer {
    tar: Vec<u8>,
    digest: String,
}

impl Layer {
    fn finish(tar: tar::Builder<Vec<u8>>) -> io::Result<Self> {
        let tar = tar.into_inner()?;
        let digest = digest(&tar);
        Ok(Self { tar, digest })
    }
}

/// What an image is made of.
struct Image<'a> {
    name: String,
    layers: &'a [Layer],
    entrypoint: &'a [&'a str],
    environment: Vec<String>,
    user: &'a str,
}

/// Writes the archive of CoreDNS.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_coredns(archive: &Path, binary: &Path) -> anyhow::Result<()> {
    let mut tar = tar::Builder::new(Vec::new());
    add_base(&mut tar)?;
    add_program(&mut tar, binary, "coredns")?;
    let layer = Layer::finish(tar)?;
    // Port 53 is root's.
    let image = Image {
        name: coredns_image(),
        layers: &[layer],
        entrypoint: &["/coredns"],
        environment: Vec::new(),
        user: "",
    };
    write(archive, &[image])
}

/// Writes the archive of everything that the shard server is: shards with and without a shell, and what holds the
/// namespaces of pods.
///
/// # Errors
/// When a file cannot be read or written.
pub fn write_shards(archive: &Path, shard_server: &Path) -> anyhow::Result<()> {
    let mut tar = tar::Builder::new(Vec::new());
    add_base(&mut tar)?;
    add_program(&mut tar, shard_server, "shard-server")?;
    let shard = Layer::finish(tar)?;
    let mut tar = tar::Builder::new(Vec::new());
    add_busybox(&mut tar)?;
    let shell = Layer::finish(tar)?;
    let layers = [shard, shell];
    let (bare, whole) = (&layers[..1], &layers[..]);
    let of_shards = [(BARE_IMAGE, bare), (SHARD_IMAGE, whole)];
    let mut images = vec![Image {
        name: PAUSE_IMAGE.to_owned(),
        layers: bare,
        entrypoint: &["/shard-server", "pause"],
        environment: Vec::new(),
        user: USER,
    }];
    for (name, layers) in of_shards {
        images.extend(VERSIONS.map(|version| Image {
            name: format!("{name}:{version}"),
            layers,
            entrypoint: &["/shard-server", "serve"],
            environment: vec![format!("SHARD_VERSION={version}"), format!("SHARD_IMAGE={name}:{version}")],
            user: USER,
        }));
    }
    write(archive, &images)
}

/// What every image has: places for what a runtime mounts, and the names of users.
fn add_base(tar: &mut tar::Builder<Vec<u8>>) -> anyhow::Result<()> {
    for folder in ["dev", "etc", "proc", "sys"] {
        add_folder(tar, folder, 0o755)?;
    }
    add_folder(tar, "tmp", 0o1777)?;
    add_file(tar, "etc/passwd", 0o644, b"root:x:0:0::/:/bin/sh\nshard:x:65532:65532::/:/bin/sh\n")?;
    add_file(tar, "etc/group", 0o644, b"root:x:0:\nshard:x:65532:\n")
}

/// A program with the libraries that it is linked with, each in its own place.
fn add_program(tar: &mut tar::Builder<Vec<u8>>, binary: &Path, name: &str) -> anyhow::Result<()> {
    for library in libraries(binary) {
        let bytes = fs::read(&library).with_context(|| format!("read {}", library.display()))?;
        add_file(tar, &library.to_string_lossy(), 0o755, &bytes)?;
    }
    let bytes = fs::read(binary).with_context(|| format!("read {}", binary.display()))?;
    add_file(tar, name, 0o755, &bytes)
}

/// The libraries of a program. One that is linked statically has none, and `ldd` fails.
fn libraries(binary: &Path) -> Vec<PathBuf> {
    run("ldd", [binary]).map(|text| parse_libraries(&text)).unwrap_or_default()
}

fn parse_libraries(text: &str) -> Vec<PathBuf> {
    // `libc.so.6 => /lib/libc.so.6 (0x...)`, `/lib64/ld-linux.so.2 (0x...)`, `linux-vdso.so.1 (0x...)`
    text.lines()
        .filter_map(|line| {
            let place = line.split_once("=>").map_or(line, |(_, place)| place);
            let path = place.split_whitespace().next()?;
            path.starts_with('/').then(|| path.into())
        })
        .collect()
}

/// busybox, and each of its programs as a link to it.
fn add_busybox(tar: &mut tar::Builder<Vec<u8>>) -> anyhow::Result<()> {
    let busybox = find("busybox").context("there is no busybox")?;
    let bytes = fs::read(&busybox).with_context(|| format!("read {}", busybox.display()))?;
    add_file(tar, "bin/busybox", 0o755, &bytes)?;
    for program in run(&busybox.to_string_lossy(), ["--list"])?.lines().filter(|name| *name != "busybox") {
        let mut header = header(tar::EntryType::Symlink, 0o777, 0);
        tar.append_link(&mut header, format!("bin/{program}"), "busybox")?;
    }
    Ok(())
}

fn add_folder(tar: &mut tar::Builder<Vec<u8>>, path: &str, mode: u32) -> anyhow::Result<()> {
    let mut header = header(tar::EntryType::Directory, mode, 0);
    Ok(tar.append_data(&mut header, format!("{path}/"), io::empty())?)
}

fn add_file(
    tar: &mut tar::Builder<impl io::Write>,
    path: &str,
    mode: u32,
    bytes: &[u8],
) -> anyhow::Result<()> {
    let mut header = header(tar::EntryType::Regular, mode, bytes.len() as u64);
    Ok(tar.append_data(&mut header, path.trim_start_matches('/'), bytes)?)
}

/// Owned by root and without a time, so that the same files make the same image.
fn header(kind: tar::EntryType, mode: u32, size: u64) -> tar::Header {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header
}

/// Writes an archive beside its place and moves it there.
fn write(archive: &Path, images: &[Image<'_>]) -> anyhow::Result<()> {
    let partial = archive.with_extension("partial");
    let file = fs::File::create(&partial).with_context(|| format!("create {}", partial.display()))?;
    let mut tar = tar::Builder::new(io::BufWriter::new(file));
    let mut layers: BTreeMap<&str, &Layer> = BTreeMap::new();
    let mut list = Vec::new();
    for image in images {
        layers.extend(image.layers.iter().map(|layer| (layer.digest.as_str(), layer)));
        let configuration = serde_json::to_vec(&configuration(image))?;
        let name = format!("{}.json", digest(&configuration));
        add_file(&mut tar, &name, 0o644, &configuration)?;
        let files: Vec<_> = image.layers.iter().map(|layer| format!("{}.tar", layer.digest)).collect();
        list.push(json!({ "Config": name, "RepoTags": [image.name], "Layers": files }));
    }
    for (digest, layer) in layers {
        add_file(&mut tar, &format!("{digest}.tar"), 0o644, &layer.tar)?;
    }
    add_file(&mut tar, "manifest.json", 0o644, &serde_json::to_vec(&list)?)?;
    tar.into_inner()?.flush()?;
    fs::rename(&partial, archive).with_context(|| format!("write {}", archive.display()))
}

/// The configuration of an image, as the OCI's image specification has it.
fn configuration(image: &Image<'_>) -> Value {
    let layers: Vec<_> = image.layers.iter().map(|layer| format!("sha256:{}", layer.digest)).collect();
    let mut environment = vec!["PATH=/bin".to_owned()];
    environment.extend(image.environment.iter().cloned());
    json!({
        "architecture": match std::env::consts::ARCH {
            "x86_64" => "amd64",
            "aarch64" => "arm64",
            other => other,
        },
        "os": "linux",
        "created": "1970-01-01T00:00:00Z",
        "config": {
            "Env": environment,
            "Entrypoint": image.entrypoint,
            "User": image.user,
            "WorkingDir": "/",
        },
        "rootfs": { "type": "layers", "diff_ids": layers },
    })
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn libraries_are_where_ldd_says() {
        let text = "\tlinux-vdso.so.1 (0x00007fab5703f000)\n\
            \tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007fab557fe000)\n\
            \t/lib64/ld-linux-x86-64.so.2 (0x00007fab57041000)\n\tlibgone.so => not found\n";
        assert_eq!(
            parse_libraries(text),
            [Path::new("/lib/x86_64-linux-gnu/libc.so.6"), Path::new("/lib64/ld-linux-x86-64.so.2")]
        );
    }

    #[test]
    fn the_same_files_make_the_same_archive_and_a_shared_layer_is_there_once() {
        let folder = std::env::temp_dir().join(format!("shardctl-image-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let make = |name: &str| {
            let mut tar = tar::Builder::new(Vec::new());
            add_base(&mut tar).unwrap();
            let layer = Layer::finish(tar).unwrap();
            let images = ["x:1", "x:2"].map(|name| Image {
                name: name.to_owned(),
                layers: std::slice::from_ref(&layer),
                entrypoint: &["/a"],
                environment: vec![format!("NAME={name}")],
                user: USER,
            });
            write(&folder.join(name), &images).unwrap();
            fs::read(folder.join(name)).unwrap()
        };
        let bytes = make("one");
        assert_eq!(bytes, make("two"));
        let mut archive = tar::Archive::new(&bytes[..]);
        let mut names: Vec<_> = archive
            .entries()
            .unwrap()
            .map(|entry| entry.unwrap().path().unwrap().to_string_lossy().into_owned())
            .collect();
        assert_eq!(names.pop().unwrap(), "manifest.json");
        assert_eq!(names.iter().filter(|name| name.contains(".json")).count(), 2);
        assert_eq!(names.iter().filter(|name| name.contains(".tar")).count(), 1);
        fs::remove_dir_all(folder).unwrap();
    }
}
