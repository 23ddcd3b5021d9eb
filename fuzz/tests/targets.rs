//! A bounded run of every target.

use std::fs;

use netsession_fuzz::{Target, corpus, rpc_targets, run, smb_targets, srvsvc_targets};

fn run_all(targets: &[(&str, Target)]) {
    for (name, target) in targets {
        run(name, *target);
    }
}

#[test]
fn smb_messages() {
    run_all(smb_targets::MESSAGES);
}

#[test]
fn smb_parts_and_logons() {
    run_all(smb_targets::OTHERS);
}

#[test]
fn rpc() {
    run_all(rpc_targets::TARGETS);
}

#[test]
fn srvsvc() {
    run_all(srvsvc_targets::STUBS);
    run_all(srvsvc_targets::LEVELED);
    run_all(srvsvc_targets::OTHERS);
}

/// A corpus without a target would be dead weight.
#[test]
fn every_corpus_has_its_target() {
    let names: Vec<&str> = [
        smb_targets::MESSAGES,
        smb_targets::OTHERS,
        rpc_targets::TARGETS,
        srvsvc_targets::STUBS,
        srvsvc_targets::LEVELED,
        srvsvc_targets::OTHERS,
    ]
    .concat()
    .iter()
    .map(|(name, _)| *name)
    .collect();
    let folder = corpus("");
    for entry in fs::read_dir(folder).expect("the corpus").flatten() {
        let name = entry.file_name();
        assert!(
            names.iter().any(|known| name == *known),
            "no target for {}",
            name.display()
        );
    }
}
