//! No files, no TCP, no signals to others: Landlock with everything denied and nothing allowed.

use landlock::{ABI, Access, AccessFs, AccessNet, Ruleset, RulesetAttr, RulesetError, Scope};

/// The newest rules asked for; an older kernel keeps those it knows.
const NEWEST: ABI = ABI::V6;

/// Denies what this kernel can deny, and any new privileges. Failing is no reason to read
/// nothing: the other walls stand.
pub(super) fn restrict() {
    let _ = deny_everything();
}

fn deny_everything() -> Result<(), RulesetError> {
    Ruleset::default()
        .handle_access(AccessFs::from_all(NEWEST))?
        .handle_access(AccessNet::from_all(NEWEST))?
        .scope(Scope::from_all(NEWEST))?
        .create()?
        .restrict_self()?;
    Ok(())
}
