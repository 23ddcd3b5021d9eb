//! What the tests need beside Rust: Samba's programs, Wireshark's decoder, rclone, three Python
//! clients, maturin for the Python package, C compilers, make and valgrind, qemu for a guest.
//! Installed only if missing.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{run, say, succeeds};

/// Programs the tests start, each with the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("smbclient", "smbclient"),
    ("rpcclient", "smbclient"),
    ("smbd", "samba"),
    ("smbpasswd", "samba-common-bin"),
    ("net", "samba-common-bin"),
    ("smbtorture", "samba-testsuite"),
    ("ndrdump", "samba-testsuite"),
    ("rclone", "rclone"),
    ("python3", "python3"),
    ("gcc", "gcc"),
    ("g++", "g++"),
    // jemalloc's own way to be built.
    ("make", "make"),
    ("clang", "clang"),
    ("clang++", "clang"),
    ("pkg-config", "pkg-config"),
    ("nm", "binutils"),
    ("valgrind", "valgrind"),
    // It reads the symbols of the C library and its loader.
    ("valgrind", "libc6-dbg"),
    // A guest with Debian's kernel, whose package `tests/guest/boot` unpacks by itself.
    ("qemu-system-x86_64", "qemu-system-x86"),
    ("busybox", "busybox-static"),
    ("modprobe", "kmod"),
    ("cpio", "cpio"),
    ("mount.cifs", "cifs-utils"),
    ("fio", "fio"),
    ("sqlite3", "sqlite3"),
    ("git", "git"),
    // Its question whether everybody may capture is answered with no, where nobody is asked.
    ("tshark", "tshark"),
    ("ip", "iproute2"),
];

/// Lets the private smbd of the tests have users without touching /etc/passwd.
const NSS_WRAPPER: &str = "libnss-wrapper";

/// Streams and security descriptors in extended attributes: for smbtorture's questions to Samba.
const VFS_MODULES: &str = "samba-vfs-modules";

/// Installs what is missing.
pub fn install(root: &Path) -> Result<(), String> {
    let missing = missing_packages();
    if !missing.is_empty() {
        install_packages(&missing)?;
        let still = missing_packages();
        if !still.is_empty() {
            return Err(format!("still missing after apt-get: {}", still.join(" ")));
        }
    }
    install_python(root)
}

/// The Python of the virtual environment.
pub fn python(root: &Path) -> PathBuf {
    root.join("target/interop/venv/bin/python")
}

/// `pip install` with this Python.
pub fn pip(python: &Path) -> Command {
    let mut command = Command::new(python);
    command.args([
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
    ]);
    command
}

fn missing_packages() -> Vec<&'static str> {
    let mut missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if !library_present("libnss_wrapper.so") {
        missing.push(NSS_WRAPPER);
    }
    if !library_present("samba/vfs/streams_xattr.so") {
        missing.push(VFS_MODULES);
    }
    if !succeeds(Command::new("python3").args(["-c", "import ensurepip, venv"])) {
        missing.push("python3-venv");
    }
    missing.sort_unstable();
    missing.dedup();
    missing
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(["/usr/sbin".into(), "/sbin".into()])
        .any(|folder| folder.join(program).is_file())
}

fn library_present(name: &str) -> bool {
    ["/usr/lib", "/usr/lib64"]
        .iter()
        .map(PathBuf::from)
        .chain(
            fs::read_dir("/usr/lib")
                .into_iter()
                .flatten()
                .flatten()
                .map(|entry| entry.path()),
        )
        .any(|folder| folder.join(name).exists())
}

fn install_packages(packages: &[&str]) -> Result<(), String> {
    say(&format!("missing: {}", packages.join(" ")));
    if !on_path("apt-get") {
        return Err(format!(
            "install these by hand (no apt-get here): {}",
            packages.join(" ")
        ));
    }
    let sudo = !rootly();
    if sudo && !on_path("sudo") {
        return Err(format!("as root: apt-get install {}", packages.join(" ")));
    }
    let apt_get = |arguments: &[&str]| {
        let mut command = if sudo {
            Command::new("sudo")
        } else {
            Command::new("env")
        };
        command
            .arg("DEBIAN_FRONTEND=noninteractive")
            .arg("apt-get")
            .args([
                "-q",
                "-y",
                "-o",
                "Acquire::Retries=3",
                "-o",
                "DPkg::Lock::Timeout=300",
            ]);
        command.args(arguments);
        run(&mut command)
    };
    let _no_services = NoServices::begin();
    apt_get(&["update"])?;
    let mut arguments = vec!["install", "--no-install-recommends"];
    arguments.extend_from_slice(packages);
    apt_get(&arguments)
}

fn rootly() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// While it lives, Debian's packages do not start the services they bring: the tests
/// want Samba's programs, not a file server on port 445.
struct NoServices(Option<&'static Path>);

impl NoServices {
    fn begin() -> Self {
        let path = Path::new("/usr/sbin/policy-rc.d");
        if path.exists() || !rootly() {
            return NoServices(None);
        }
        let written = fs::write(path, "#!/bin/sh\nexit 101\n").and_then(|()| {
            fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
        });
        match written {
            Ok(()) => NoServices(Some(path)),
            Err(_) => NoServices(None),
        }
    }
}

impl Drop for NoServices {
    fn drop(&mut self) {
        if let Some(path) = self.0 {
            // Left behind it would only keep services from starting at installation.
            let _ = fs::remove_file(path);
        }
    }
}

fn install_python(root: &Path) -> Result<(), String> {
    let wanted_file = root.join("tests/python/requirements.txt");
    let wanted = fs::read_to_string(&wanted_file)
        .map_err(|error| format!("could not read {}: {error}", wanted_file.display()))?;
    let venv = root.join("target/interop/venv");
    let stamp = venv.join("requirements.installed");
    let works = succeeds(Command::new(python(root)).args([
        "-c",
        "import impacket, maturin, smbprotocol, smb.SMBConnection",
    ]));
    if works && fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(&venv))?;
    run(pip(&python(root)).arg("-r").arg(&wanted_file))?;
    fs::write(&stamp, wanted)
        .map_err(|error| format!("could not write {}: {error}", stamp.display()))
}
