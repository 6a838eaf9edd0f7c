//! `shardctl lab build`: compiles the lab's components from their pinned sources.
//!
//! A build lies in the cache under a key of everything that goes into it, so another version of shardctl never meets
//! half of its components. Each program is built beside its place and renamed into it at the end.

use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::Instant;

use anyhow::Context as _;

use super::components::{
    AMENDMENTS, GO_MOD, GO_SUM, MANIFESTS, Program, amended_modules, go_version, linker_flags, programs,
};
use super::layout::{BuildFolder, Layout};
use super::real::image;
use super::record::Tier;
use crate::error::CommandError;
use crate::render::ui::Ui;

/// The suffix of files that are being written.
const PARTIAL: &str = ".partial";

/// Whether everything that a tier needs of this version is there.
#[must_use]
pub fn is_complete(build: &BuildFolder, tier: Tier) -> bool {
    programs(tier).all(|program| build.binary(program.name).is_file())
        && (tier == Tier::Kwok || build.coredns_archive().is_file())
        && MANIFESTS.iter().all(|manifest| build.manifests().join(manifest.name()).is_file())
}

/// Builds what a tier needs and is missing, with a line for each component.
///
/// # Errors
/// When there is no fitting Go, or a component does not build.
pub fn build(ui: &Ui, layout: &Layout, tier: Tier) -> Result<BuildFolder, CommandError> {
    let build = layout.build();
    if is_complete(&build, tier) {
        return Ok(build);
    }
    for folder in [build.binaries(), build.manifests(), build.module()] {
        create_folder(&folder)?;
    }
    let _lock = lock(ui, &build)?;
    remove_partial(&build.binaries());
    write(&build.module().join("go.mod"), GO_MOD)?;
    write(&build.module().join("go.sum"), GO_SUM)?;
    check_go(&build)?;
    if programs(tier).any(|program| is_amended(program) && !build.binary(program.name).is_file()) {
        amend(&build)?;
    }
    for program in programs(tier) {
        let start = Instant::now();
        if build.binary(program.name).is_file() {
            ui.say(format_args!("{:<24} ready", program.name));
            continue;
        }
        build_program(&build, program)?;
        ui.say(format_args!("{:<24} built in {}s", program.name, start.elapsed().as_secs()));
    }
    copy_manifests(&build)?;
    if tier == Tier::Real {
        image::write_coredns(&build.coredns_archive(), &build.binary("coredns"))
            .context("make the image of CoreDNS")?;
    }
    Ok(build)
}

/// Waits until nobody else builds this version.
fn lock(ui: &Ui, build: &BuildFolder) -> Result<File, CommandError> {
    let path = build.lock();
    let file = File::create(&path).with_context(|| format!("open {}", path.display()))?;
    if file.try_lock().is_err() {
        ui.say("waiting for another build of the lab's components");
        file.lock().with_context(|| format!("lock {}", path.display()))?;
    }
    Ok(file)
}

/// Checks that there is a Go that is new enough. Go itself fetches a newer one when it is allowed to.
fn check_go(build: &BuildFolder) -> Result<(), CommandError> {
    let wanted = go_version().unwrap_or("1");
    let hint = format!("install Go {wanted} or newer: https://go.dev/doc/install");
    let output = match go(build).args(["env", "GOVERSION"]).output() {
        Ok(output) => output,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(CommandError::failed(
                "the lab's components are built with Go, and there is no `go` on the PATH",
            )
            .hint(hint));
        }
        Err(error) => return Err(CommandError::from(error).hint(hint)),
    };
    if !output.status.success() {
        return Err(CommandError::failed(last_lines(&output)).hint(hint));
    }
    let version = String::from_utf8_lossy(&output.stdout);
    let version = version.trim().trim_start_matches("go");
    if is_older(version, wanted) {
        return Err(CommandError::failed(format!(
            "the lab's components need Go {wanted}, and `go` is {version}"
        ))
        .hint(hint));
    }
    Ok(())
}

/// Whether Go version `have` is older than `wanted`. A version that cannot be read is taken for new.
fn is_older(have: &str, wanted: &str) -> bool {
    let numbers = |version: &str| -> Option<Vec<u32>> {
        // `1.27rc1` and `1.26.8 X:experiment` count as what they begin with.
        let end = version.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(version.len());
        version[..end].split('.').map(|part| part.parse().ok()).collect()
    };
    match (numbers(have), numbers(wanted)) {
        (Some(have), Some(wanted)) => have < wanted,
        _ => false,
    }
}

/// `go` in the lab's module, free of settings that would change what is built.
fn go(build: &BuildFolder) -> Command {
    let mut command = Command::new("go");
    command
        .current_dir(build.module())
        .env("CGO_ENABLED", "0")
        .env("GOFLAGS", "")
        .env("GOWORK", "off")
        .stdin(Stdio::null());
    command
}

fn build_program(build: &BuildFolder, program: Program) -> Result<(), CommandError> {
    let partial = build.binaries().join(format!("{}{PARTIAL}", program.name));
    let mut command = go(build);
    command.arg("build");
    if is_amended(program) {
        command.arg("-modfile=amended.mod");
    }
    command.args(["-trimpath", "-ldflags", &linker_flags(), "-o"]).arg(&partial).arg(program.package);
    let output = command.output().context("run go")?;
    if !output.status.success() {
        return Err(CommandError::failed(format!(
            "{} did not build:\n{}",
            program.name,
            last_lines(&output)
        ))
        .hint("sources come through the Go module proxy: check the network, and `go env GOPROXY`")
        .hint("run `shardctl lab build` again, it goes on where it stopped"));
    }
    fs::rename(&partial, build.binary(program.name))
        .with_context(|| format!("move {} into its place", program.name))?;
    Ok(())
}

/// Whether a program is of a module that is built otherwise than it was published.
fn is_amended(program: Program) -> bool {
    amended_modules().into_iter().any(|module| {
        program.package.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Copies modules beside ours, changes pieces of them, and writes an `amended.mod` that uses the copies. (Go's own
/// `-overlay` cannot replace a file of the module cache.)
fn amend(build: &BuildFolder) -> Result<(), CommandError> {
    let mut module = GO_MOD.to_owned();
    for (number, name) in amended_modules().into_iter().enumerate() {
        let folder = format!("amended-{number}");
        let copy = build.module().join(&folder);
        if copy.exists() {
            fs::remove_dir_all(&copy).with_context(|| format!("empty {}", copy.display()))?;
        }
        copy_tree(&module_folder(build, name)?, &copy).with_context(|| format!("copy {name}"))?;
        for amendment in AMENDMENTS.iter().filter(|amendment| amendment.module == name) {
            let path = copy.join(amendment.path);
            let text = fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))?;
            if !text.contains(amendment.from) {
                return Err(CommandError::failed(format!(
                    "{} has no `{}`, so {}",
                    amendment.path,
                    amendment.from.trim(),
                    amendment.without
                ))
                .hint("lab/go.mod names a version that src/lab/components.rs does not know"));
            }
            write(&path, &text.replace(amendment.from, amendment.to))?;
        }
        module.push_str(&format!("\nreplace {name} => ./{folder}\n"));
    }
    write(&build.module().join("amended.mod"), &module)?;
    write(&build.module().join("amended.sum"), GO_SUM)
}

/// Copies a file or a folder; the copy can be written to, unlike what lies in Go's module cache.
fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    if !from.is_dir() {
        return fs::write(to, fs::read(from)?);
    }
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        copy_tree(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

/// The folder of a module in Go's cache.
fn module_folder(build: &BuildFolder, module: &str) -> Result<std::path::PathBuf, CommandError> {
    let output = go(build).args(["list", "-m", "-f", "{{.Dir}}", module]).output().context("run go")?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if output.status.success() && !folder.is_empty() {
        return Ok(folder.into());
    }
    // Listed without a folder: nothing of this module was needed yet.
    let download = go(build).args(["mod", "download", module]).output().context("run go")?;
    if !download.status.success() {
        return Err(CommandError::failed(format!("fetch {module}: {}", last_lines(&download)))
            .hint("sources come through the Go module proxy: check the network, and `go env GOPROXY`"));
    }
    let output = go(build).args(["list", "-m", "-f", "{{.Dir}}", module]).output().context("run go")?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().into())
}

fn copy_manifests(build: &BuildFolder) -> Result<(), CommandError> {
    for manifest in MANIFESTS {
        let source = module_folder(build, manifest.module)?.join(manifest.path);
        let text = fs::read_to_string(&source).with_context(|| format!("read {}", source.display()))?;
        let target = build.manifests().join(manifest.name());
        let partial = build.manifests().join(format!("{}{PARTIAL}", manifest.name()));
        write(&partial, &text)?;
        fs::rename(&partial, &target).with_context(|| format!("write {}", target.display()))?;
    }
    Ok(())
}

/// Removes what an interrupted build left.
fn remove_partial(folder: &Path) {
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_name().to_string_lossy().ends_with(PARTIAL) {
            let _ = fs::remove_file(entry.path());
        }
    }
}

fn create_folder(path: &Path) -> Result<(), CommandError> {
    Ok(fs::create_dir_all(path).with_context(|| format!("create {}", path.display()))?)
}

fn write(path: &Path, text: &str) -> Result<(), CommandError> {
    Ok(fs::write(path, text).with_context(|| format!("write {}", path.display()))?)
}

/// The end of what a program said.
fn last_lines(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines: Vec<_> = text.trim().lines().collect();
    lines[lines.len().saturating_sub(15)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_of_go_are_compared_by_their_numbers() {
        assert!(is_older("1.25.9", "1.26.6"));
        assert!(is_older("1.9", "1.26"));
        assert!(is_older("1.26", "1.26.6"));
        assert!(!is_older("1.26.6", "1.26.6"));
        assert!(!is_older("1.27rc1", "1.26.6"));
        assert!(!is_older("1.26.8 X:nocoverageredesign", "1.26.6"));
        assert!(!is_older("devel +abc", "1.26.6"));
    }
}
