//! Closures that wait for their time.

use super::{Dispatcher, Scope};
use crate::reactor::TimerId;

type Once<H> = Box<dyn FnOnce(&mut Scope<'_, H>, &mut <H as Dispatcher>::Shared)>;
type Every<H> = Box<dyn FnMut(&mut Scope<'_, H>, &mut <H as Dispatcher>::Shared)>;

pub(super) enum Call<H: Dispatcher> {
    Once(Once<H>),
    Every(Every<H>),
}

/// A closure for each timer that belongs to nobody, at the timer's own place.
pub(super) struct Calls<H: Dispatcher> {
    by_timer: Vec<Option<Call<H>>>,
}

impl<H: Dispatcher> Calls<H> {
    pub(super) fn new() -> Self {
        Self { by_timer: Vec::new() }
    }

    pub(super) fn insert(&mut self, timer: TimerId, call: Call<H>) {
        let place = timer.index();
        if self.by_timer.len() <= place {
            self.by_timer.resize_with(place + 1, || None);
        }
        self.by_timer[place] = Some(call);
    }

    pub(super) fn take(&mut self, timer: TimerId) -> Option<Call<H>> {
        self.by_timer.get_mut(timer.index())?.take()
    }
}
