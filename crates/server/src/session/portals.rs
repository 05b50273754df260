//! The open portals by name. The unnamed one, which most statements of the extended protocol use, has a place of its own,
//! and its memory is used again.

use hashbrown::HashMap;

use super::portal::{Portal, State};

/// See the module's head.
#[derive(Default)]
pub(super) struct Portals {
    unnamed: Option<Box<Portal>>,
    named: HashMap<String, Box<Portal>>,
    /// A closed one, for its memory.
    spare: Option<Box<Portal>>,
}

impl Portals {
    pub fn contains_key(&self, name: &str) -> bool {
        self.get(name).is_some()
    }
    #[inline]
    pub fn get(&self, name: &str) -> Option<&Portal> {
        if name.is_empty() { self.unnamed.as_deref() } else { self.named.get(name).map(|p| &**p) }
    }
    #[inline]
    pub fn remove(&mut self, name: &str) -> Option<Box<Portal>> {
        if name.is_empty() { self.unnamed.take() } else { self.named.remove(name) }
    }
    #[inline]
    pub fn insert(&mut self, name: impl AsRef<str> + Into<String>, portal: Box<Portal>) {
        match name.as_ref().is_empty() {
            true => self.unnamed = Some(portal),
            false => drop(self.named.insert(name.into(), portal)),
        }
    }
    pub fn clear(&mut self) {
        self.unnamed = None;
        self.named.clear();
    }
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut Portal> {
        self.unnamed.iter_mut().chain(self.named.values_mut()).map(|p| &mut **p)
    }
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Portal) -> bool) {
        // One that was suspended holds rows and a snapshot.
        if let Some(portal) = self.unnamed.take_if(|p| !keep("", p))
            && !matches!(portal.state, State::Running(_))
        {
            self.spare = Some(portal);
        }
        if !self.named.is_empty() {
            self.named.retain(|name, p| keep(name, p));
        }
    }
    /// The portal in a box, in that of one that is gone if there is one.
    #[inline]
    pub fn boxed(&mut self, portal: Portal) -> Box<Portal> {
        match self.spare.take() {
            Some(mut spare) => {
                *spare = portal;
                spare
            }
            None => Box::new(portal),
        }
    }
    /// Gives spare memory back.
    pub fn shrink(&mut self) {
        self.spare = None;
    }
}
