//! The kernel on two files: report rows against a bulk export, without network. See docs/PERFORMANCE.md, "The kernel".
//!
//! `generate FOLDER ROWS` writes `report.csv` and `org.csv`; `floor FOLDER` scans both for line ends; `run FOLDER` plans, checks every count against what was
//! generated, and writes the plan's lines (`--threads N`, `--memory MIB`, `--update FILE` for the changed cells as CSV, `--repeat N`).

#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a bench that cannot be set up has nothing to measure")]

mod generate;
mod plan;

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::time::Instant;

fn option(arguments: &[String], name: &str) -> Option<String> {
    arguments.iter().position(|a| a == name).and_then(|at| arguments.get(at + 1)).cloned()
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let number = |name: &str, default: u64| option(&arguments, name).map_or(default, |n| n.parse().unwrap());
    let folder = arguments.get(1).map(Path::new);
    match (arguments.first().map(String::as_str), folder) {
        (Some("generate"), Some(folder)) => generate::files(folder, arguments[2].parse().unwrap()),
        (Some("floor"), Some(folder)) => {
            for _ in 0..number("--repeat", 1) {
                let started = Instant::now();
                let lines: usize = ["report.csv", "org.csv"].map(|name| line_ends(&folder.join(name))).iter().sum();
                tell("floor", started, &format!("{lines} lines"));
            }
        }
        (Some("run"), Some(folder)) => {
            let update = option(&arguments, "--update");
            for _ in 0..number("--repeat", 1) {
                // A plan is a new file: to empty the last one is none of its work.
                let _ = std::fs::remove_file(folder.join(plan::LINES));
                let started = Instant::now();
                let threads = number("--threads", 2) as usize;
                let said =
                    plan::files(folder, threads, number("--memory", 512) << 20, update.as_deref().map(Path::new));
                tell("kernel", started, &said);
            }
        }
        // `cargo bench` and `cargo test --benches` without arguments: small, and checked.
        _ => {
            let folder = tempfile::tempdir().unwrap();
            generate::files(folder.path(), 20_000);
            for (threads, memory) in [(1, 512), (2, 512), (2, 1)] {
                let started = Instant::now();
                let said = plan::files(folder.path(), threads, memory << 20, None);
                tell("kernel", started, &format!("{said} ({threads} threads, {memory} MiB)"));
            }
        }
    }
}

/// Wall and CPU seconds since, and the most memory ever resident.
fn tell(what: &str, started: Instant, said: &str) {
    let wall = started.elapsed().as_secs_f64();
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).map_or("?", str::trim);
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let ticks: u64 = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split(' ')
        .skip(12)
        .take(2)
        .filter_map(|t| t.parse::<u64>().ok())
        .sum();
    println!("{what}: {wall:.3} s, {:.2} s CPU so far, peak {peak}; {said}", ticks as f64 / 100.0);
}

fn line_ends(path: &Path) -> usize {
    let mut file = File::open(path).unwrap();
    let mut chunk = vec![0; 256 << 10];
    let mut lines = 0;
    loop {
        let read = file.read(&mut chunk).unwrap();
        if read == 0 {
            return lines;
        }
        lines += memchr::memchr_iter(b'\n', &chunk[..read]).count();
    }
}
