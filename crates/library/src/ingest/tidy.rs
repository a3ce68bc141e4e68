//! What is done when nothing else is to be done: the space that deletions left is given back,
//! and with it go the last traces of what was deleted.

use retrieval::RetrievalError;
use tracing::warn;

use crate::LibraryError;
use crate::library::Core;

/// Tidies every index and the database, until there is work again. None of it changes what is
/// found, so that a failure is only noted; the next rest tries again.
pub(super) fn run(core: &Core) {
    for (id, index) in core.indexes.opened_ones() {
        if core.signal.is_wanted() {
            return;
        }
        if core.indexes.wants_verifying(&id)
            && let Err(RetrievalError::Damaged { reason }) = index.verify()
        {
            let _changing = core.indexes.lock_changes();
            if let Err(error) = core.indexes.build_again(&core.store, &id, &reason) {
                let (collection, error) = (id, error.with_causes());
                warn!(collection, error, "cannot build the damaged index again");
            } else {
                core.signal.work_arrived();
            }
            continue;
        }
        if let Err(error) = index.purge().map_err(LibraryError::from) {
            let (collection, error) = (id, error.with_causes());
            warn!(collection, error, "cannot give back the index's space");
        }
    }
    give_back_space(core, &|| !core.signal.is_wanted());
    core.store.hold_reserve();
}

/// Makes what room there can be made while the disk is full.
pub(super) fn make_room(core: &Core) {
    give_back_space(core, &|| !core.signal.is_stopping());
}

fn give_back_space(core: &Core, go_on: &dyn Fn() -> bool) {
    if let Err(error) = core.store.give_back_space(go_on) {
        let error = error.with_causes();
        warn!(error, "cannot give back the database's space");
    }
}
