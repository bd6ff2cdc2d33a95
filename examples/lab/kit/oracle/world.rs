//! One way in which things may stand: numbers, open files, registrations.

use super::file::{FileRef, Object};
use super::model::{Beyond, Cause, Deed, Wake, Wakes, When};
use super::truth::Facts;
use super::watches::Watches;
use crate::kit::{Action, Bits, Cell, Half, Kind, Mechanism};
use std::collections::{BTreeMap, BTreeSet};

/// So many things may be one way or the other in one wait.
pub(super) const DOUBTFUL: usize = 4;

/// Who is woken, what the driver says, and why.
type Late = (FileRef, Bits, Cause);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct World {
    /// The number that a name stands for, whatever that number is by now.
    names: BTreeMap<String, usize>,
    /// What each number that was ever given stands for; `None` if it is closed.
    pub(super) numbers: Vec<Option<FileRef>>,
    objects: Vec<Object>,
    pub(super) watches: Watches,
    /// Wakeups that are still to come, in their own time.
    late: Vec<Late>,
    /// What was asked for last under each name; arming anew asks for it again, whoever has the number by then.
    asked: BTreeMap<String, Bits>,
    /// What epoll would not take, and why.
    pub(super) refused: BTreeMap<String, &'static str>,
    /// Names whose registration went away with the last number of its file.
    pub(super) forgotten: BTreeSet<String>,
    /// What the last wait answered here.
    pub(super) answered: Option<Cell>,
}

impl World {
    pub(super) fn new(mechanism: Mechanism) -> Self {
        Self {
            names: BTreeMap::new(),
            numbers: Vec::new(),
            objects: Vec::new(),
            watches: Watches::new(mechanism),
            late: Vec::new(),
            asked: BTreeMap::new(),
            refused: BTreeMap::new(),
            forgotten: BTreeSet::new(),
            answered: None,
        }
    }

    pub(super) fn number(&self, name: &str) -> Option<usize> {
        self.names.get(name).copied()
    }

    /// What a number stands for now.
    pub(super) fn file(&self, number: usize) -> Option<FileRef> {
        self.numbers.get(number).copied().flatten()
    }

    fn named(&self, name: &str) -> Option<FileRef> {
        self.number(name).and_then(|number| self.file(number))
    }

    pub(super) fn object(&self, file: FileRef) -> &Object {
        &self.objects[file.object]
    }

    pub(super) fn facts(&self, file: FileRef) -> Facts {
        self.object(file).model().facts(file.side)
    }

    /// Each name that stands for an open file, and what is true of that.
    #[allow(dead_code, reason = "who follows a run are the tests")]
    pub(super) fn everything(&self) -> Vec<(String, Facts)> {
        let open = self.names.iter().filter_map(|(name, number)| Some((name, self.file(*number)?)));
        open.map(|(name, file)| (name.clone(), self.facts(file))).collect()
    }

    fn give(&mut self, name: &str, file: FileRef) {
        self.names.insert(name.to_owned(), self.numbers.len());
        self.numbers.push(Some(file));
    }

    fn make(&mut self, kind: Kind, names: &[String]) -> Result<(), Beyond> {
        if kind == Kind::Signalfd && self.objects.iter().any(Object::is_signalfd) {
            // Two of them share their signals.
            return Err(Beyond);
        }
        self.objects.push(Object::new(kind));
        for (side, name) in names.iter().enumerate() {
            self.give(name, FileRef { object: self.objects.len() - 1, side });
        }
        Ok(())
    }

    /// Does what an action says. Answers the worlds in which that may end.
    pub(super) fn play(mut self, action: &Action) -> Result<Vec<Self>, Beyond> {
        match action {
            Action::Make { kind, names } => self.make(*kind, names)?,
            Action::Connect { client, listener } | Action::Connecting { client, listener } => {
                let plain = matches!(action, Action::Connect { .. });
                return self.connect(client, listener, plain);
            }
            Action::Accept { listener, name } => self.accept(listener, name),
            Action::Dup { of, name } => {
                if let Some(file) = self.named(of) {
                    self.give(name, file);
                }
            }
            Action::Reuse { of, name, peer } => {
                let number = self.number(of).filter(|number| self.file(*number).is_none()).ok_or(Beyond)?;
                self.make(Kind::Unix, &[name.clone(), peer.clone()])?;
                let made = self.names.insert(name.clone(), number).ok_or(Beyond)?;
                self.numbers[number] = self.numbers[made].take();
            }
            Action::Watch { name, interest } => self.watch(name, *interest),
            Action::Modify { name, interest } => self.modify(name, *interest),
            Action::Rearm { name } => {
                if self.watches.mechanism == Mechanism::Oneshot {
                    let asked = self.asked.get(name).copied().ok_or(Beyond)?;
                    self.modify(name, asked);
                }
            }
            Action::Unwatch { name } => self.unwatch(name),
            Action::Close { name } => return self.close(name, Deed::Close),
            Action::Reset { name } => return self.close(name, Deed::Reset),
            Action::Probe { .. } => return Err(Beyond),
            Action::Wait { .. } | Action::Say { .. } | Action::Unread { .. } => {}
            Action::MakeRoom { name, until, .. } => {
                let (from, to) = (self.named(name).ok_or(Beyond)?, self.named(until).ok_or(Beyond)?);
                if from.object != to.object || from.side == to.side {
                    return Err(Beyond);
                }
                return self.act(name, Deed::MakeRoom);
            }
            other => {
                let (name, deed) = deed(other).ok_or(Beyond)?;
                return self.act(name, deed);
            }
        }
        Ok(vec![self])
    }

    fn act(mut self, name: &str, deed: Deed) -> Result<Vec<Self>, Beyond> {
        let Some(file) = self.named(name) else { return Ok(vec![self]) };
        let mut wakes = Wakes::default();
        self.objects[file.object].model_mut().act(file.side, deed, &mut wakes)?;
        if matches!(deed, Deed::Write(1..) | Deed::Fill | Deed::Urgent | Deed::Shutdown(Half::Write | Half::Both)) {
            self.release(file.object, true);
        }
        if matches!(deed, Deed::Shutdown(_)) {
            self.abandon(file)?;
        }
        Ok(self.woken(file.object, wakes))
    }

    /// A listener that held a connection back gets it with the first data, or with the end of it; if none of that was
    /// `heard`, it is forgotten.
    fn release(&mut self, connection: usize, heard: bool) {
        for index in 0..self.objects.len() {
            let mut wakes = Wakes::default();
            if let Object::Listener(listener) = &mut self.objects[index] {
                listener.release(connection, heard, &mut wakes);
            }
            self.wake_now(index, &wakes);
        }
    }

    /// A listener that is none any more resets what it has not accepted.
    fn abandon(&mut self, file: FileRef) -> Result<(), Beyond> {
        let open = self.numbers.contains(&Some(file));
        let Object::Listener(listener) = &mut self.objects[file.object] else { return Ok(()) };
        if open && listener.listens() {
            return Ok(());
        }
        for connection in listener.abandoned()? {
            let mut wakes = Wakes::default();
            self.objects[connection].model_mut().act(0, Deed::Reset, &mut wakes)?;
            self.wake_now(connection, &wakes);
        }
        Ok(())
    }

    fn close(mut self, name: &str, deed: Deed) -> Result<Vec<Self>, Beyond> {
        let Some(number) = self.number(name) else { return Ok(vec![self]) };
        let Some(file) = self.file(number) else { return Ok(vec![self]) };
        if deed == Deed::Reset && !self.object(file).is_socket() {
            // It has no linger time, and stays open.
            return Ok(vec![self]);
        }
        self.numbers[number] = None;
        if self.numbers.contains(&Some(file)) {
            // Of several numbers, the last one ends it. The linger time would stay.
            return if deed == Deed::Reset { Err(Beyond) } else { Ok(vec![self]) };
        }
        if self.watches.kept() {
            let gone = self.watches.list.iter().filter(|watch| watch.file == Some(file));
            self.forgotten.extend(gone.map(|watch| watch.name.clone()));
            self.watches.remove(|watch| watch.file == Some(file));
        }
        self.late.retain(|(late, ..)| *late != file);
        let mut wakes = Wakes::default();
        self.objects[file.object].model_mut().act(file.side, deed, &mut wakes)?;
        self.abandon(file)?;
        self.release(file.object, deed == Deed::Close);
        Ok(self.woken(file.object, wakes))
    }

    fn connect(mut self, client: &str, listener: &str, plain: bool) -> Result<Vec<Self>, Beyond> {
        let Some(Object::Listener(_)) = self.named(listener).map(|file| self.object(file)) else { return Err(Beyond) };
        let connection = self.objects.len();
        let index = self.named(listener).map_or(0, |file| file.object);
        let mut wakes = Wakes::default();
        match &mut self.objects[index] {
            Object::Listener(listening) if listening.listens() => listening.join(connection, &mut wakes),
            // Whether somebody has already asked for the error makes a difference.
            _ if plain => return Err(Beyond),
            _ => {
                let refused = super::tcp::Tcp::refused(1);
                self.objects.push(Object::Tcp(refused));
                self.give(client, FileRef { object: connection, side: 1 });
                return Ok(vec![self]);
            }
        }
        self.objects.push(Object::new(Kind::Tcp));
        self.give(client, FileRef { object: connection, side: 1 });
        Ok(self.woken(index, wakes))
    }

    fn accept(&mut self, listener: &str, name: &str) {
        let Some(file) = self.named(listener) else { return };
        let Object::Listener(listening) = &mut self.objects[file.object] else { return };
        if let Some(connection) = listening.accept() {
            self.give(name, FileRef { object: connection, side: 0 });
        }
    }

    fn watch(&mut self, name: &str, interest: Bits) {
        let Some(number) = self.number(name) else { return };
        let file = self.file(number);
        if !self.watches.kept() {
            match self.watches.list.iter_mut().find(|watch| watch.name == name) {
                Some(watch) => watch.interest = interest,
                None => _ = self.watches.add(name, number, file, interest),
            }
            return;
        }
        let Some(open) = file else { return };
        if let Object::Fixed(fixed) = self.object(open) {
            self.refused.insert(name.to_owned(), fixed.refusal());
        } else if self.watches.find(number, file).is_none() {
            let id = self.watches.add(name, number, file, interest);
            self.asked.insert(name.to_owned(), interest);
            self.look(id, Cause::Added);
        }
    }

    fn modify(&mut self, name: &str, interest: Bits) {
        let Some(number) = self.number(name) else { return };
        let file = self.file(number);
        if !self.watches.kept() {
            return self.watch(name, interest);
        }
        let Some(watch) = self.watches.find(number, file).filter(|_| file.is_some()) else { return };
        self.asked.insert(name.to_owned(), interest);
        watch.interest = interest;
        // The registration is found by its number, and what it is called is replaced along with the rest.
        watch.name = name.to_owned();
        watch.armed = true;
        let id = watch.id;
        self.look(id, Cause::Modified);
    }

    fn unwatch(&mut self, name: &str) {
        let Some(number) = self.number(name) else { return };
        if !self.watches.kept() {
            return self.watches.remove(|watch| watch.name == name);
        }
        let file = self.file(number);
        if file.is_some() && self.watches.find(number, file).is_some() {
            self.watches.remove(|watch| watch.number == number && watch.file == file);
            self.asked.remove(name);
        }
        self.refused.remove(name);
    }

    /// Registering looks at what is true already.
    fn look(&mut self, id: usize, cause: Cause) {
        let Some(watch) = self.watches.list.iter().find(|watch| watch.id == id) else { return };
        let Some(file) = watch.file else { return };
        let Facts { must, may } = self.facts(file);
        // If it is not so, the wait finds nothing true, which is the same as not being on the list.
        if self.watches.mask(watch.interest).intersects(must | may) {
            self.watches.put(id, cause);
        }
    }

    fn wake_now(&mut self, object: usize, wakes: &Wakes) {
        for wake in &wakes.0 {
            self.wake(object, *wake);
        }
    }

    fn wake(&mut self, object: usize, wake: Wake) {
        self.watches.wake(FileRef { object, side: wake.side }, wake.keys, wake.cause);
    }

    /// Hands the wakeups on, in order. Those that may not be make two worlds of one.
    fn woken(self, object: usize, wakes: Wakes) -> Vec<Self> {
        wakes.0.into_iter().fold(vec![self], |worlds, wake| {
            let file = FileRef { object, side: wake.side };
            let after = |mut world: Self| {
                match wake.when {
                    When::Now => world.wake(object, wake),
                    // Level asks anew at each wait, woken or not.
                    When::Later if world.watches.mechanism.is_level() => {}
                    When::Later => world.late.push((file, wake.keys, wake.cause)),
                    When::Perhaps => {
                        world.late.retain(|late| late.0 != file || late.2 != wake.cause);
                        let mut woken = world.clone();
                        woken.wake(object, wake);
                        return if woken == world { vec![world] } else { vec![world, woken] };
                    }
                }
                vec![world]
            };
            worlds.into_iter().flat_map(after).collect()
        })
    }

    /// The worlds in which each of the late wakeups that somebody would hear has come or has not.
    ///
    /// # Errors
    ///
    /// There are too many of them.
    pub(super) fn sooner_or_later(self) -> Result<Vec<Self>, Beyond> {
        let heard = |late: &&Late| self.watches.list.iter().any(|watch| watch.file == Some(late.0));
        let late: Vec<Late> = self.late.iter().filter(heard).copied().collect();
        if late.len() > DOUBTFUL {
            return Err(Beyond);
        }
        Ok(late.into_iter().fold(vec![self], |worlds, late| {
            let both = |world: Self| {
                let mut woken = world.clone();
                woken.late.retain(|entry| *entry != late);
                woken.watches.wake(late.0, late.1, late.2);
                [world, woken]
            };
            worlds.into_iter().flat_map(both).collect()
        }))
    }
}

/// What is done to whom, for actions that are done to one open file.
fn deed(action: &Action) -> Option<(&str, Deed)> {
    Some(match action {
        Action::Write { name, bytes } => (name, Deed::Write(*bytes)),
        Action::Type { name, bytes } => (name, Deed::Type(*bytes)),
        Action::Read { name, bytes } => (name, Deed::Read(*bytes)),
        Action::Peek { name, bytes } => (name, Deed::Peek(*bytes)),
        Action::Drain { name } => (name, Deed::Drain),
        Action::Fill { name } => (name, Deed::Fill),
        Action::Urgent { name } => (name, Deed::Urgent),
        Action::ReadUrgent { name } => (name, Deed::ReadUrgent),
        Action::SendToNobody { name } => (name, Deed::SendToNobody),
        Action::TakeError { name } => (name, Deed::TakeError),
        Action::Set { name, tweak } => (name, Deed::Set(*tweak)),
        Action::Shutdown { name, half } => (name, Deed::Shutdown(*half)),
        _ => return None,
    })
}
