//! What is done when nothing else is to be done: the space that deletions left is given back,
//! and with it go the last traces of what was deleted.

use retrieval::RetrievalError;
use tracing::warn;

use crate::library::Core;
use crate::store::documents;
use crate::{LibraryError, language};

/// Texts whose languages are noted in one transaction.
const TEXTS: usize = 16;

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
    while !core.signal.is_wanted() {
        match note_languages(core) {
            Ok(true) => (),
            Ok(false) => break,
            Err(error) => {
                let error = error.with_causes();
                warn!(error, "cannot note the languages of texts");
                break;
            }
        }
    }
    give_back_space(core, &|| !core.signal.is_wanted());
    core.store.hold_reserve();
}

/// Notes the languages of some texts that an earlier version read; whether there were any.
fn note_languages(core: &Core) -> Result<bool, LibraryError> {
    let texts = core
        .store
        .read(|connection| documents::without_language(connection, TEXTS))?;
    if texts.is_empty() {
        return Ok(false);
    }
    core.store.write(|connection| {
        for (file_id, text) in &texts {
            documents::set_language(connection, file_id, language::detect(text))?;
        }
        Ok(true)
    })
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
