//! What all connections share: who is there, under what name and in which room.

use crate::name::Name;
use crate::options::Options;
use crate::room::Room;
use std::collections::HashMap;
use std::sync::Arc;
use tripoll::dispatcher::Boxed;
use tripoll::reactor::Broadcast;
use tripoll::{Context, Token};

/// What the loop stores: one of the kinds of handlers, each in a file of its own.
pub(crate) type Handler = Boxed<Chat>;
/// A handler's view of its connection and the loop.
pub(crate) type Cx<'a> = Context<'a, Handler>;

/// Where everybody arrives. It is there also when nobody is in it.
pub(crate) const LOBBY: &str = "lobby";

/// One who is there.
#[derive(Debug)]
pub(crate) struct Person {
    pub(crate) name: Name,
    /// The key of the room.
    pub(crate) room: String,
}

#[derive(Debug)]
pub(crate) struct Chat {
    pub(crate) options: Options,
    people: HashMap<Token, Person>,
    /// Whose name it is, by its key.
    names: HashMap<String, Token>,
    rooms: HashMap<String, Room>,
    /// Of the plain mode, which has no names and one room.
    pub(crate) relay: Room,
    /// How many arrived, to give each a name to begin with.
    guests: u64,
    /// Lines that were said, or relayed.
    pub(crate) lines: u64,
    /// Everybody is leaving, so nobody is told of each.
    pub(crate) closing: bool,
}

impl Chat {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            options,
            people: HashMap::new(),
            names: HashMap::new(),
            rooms: HashMap::from([(LOBBY.to_owned(), Room::new(LOBBY))]),
            relay: Room::default(),
            guests: 0,
            lines: 0,
            closing: false,
        }
    }

    pub(crate) fn members(&self) -> usize {
        self.people.len() + self.relay.members().len()
    }

    pub(crate) fn rooms(&self) -> impl ExactSizeIterator<Item = &Room> {
        self.rooms.values()
    }

    pub(crate) fn person(&self, member: Token) -> Option<&Person> {
        self.people.get(&member)
    }

    pub(crate) fn room_of(&self, member: Token) -> Option<&Room> {
        self.rooms.get(&self.person(member)?.room)
    }

    /// Whose name this is.
    pub(crate) fn find(&self, name: &str) -> Option<(Token, &Person)> {
        let token = *self.names.get(&name.to_lowercase())?;
        Some((token, self.people.get(&token)?))
    }

    /// Takes in somebody new, under a name that is free, into the lobby.
    pub(crate) fn arrive(&mut self, member: Token) {
        let name = loop {
            self.guests += 1;
            let name = Name::new(&format!("guest{}", self.guests));
            if let Some(name) = name.ok().filter(|name| !self.names.contains_key(name.key())) {
                break name;
            }
        };
        self.names.insert(name.key().to_owned(), member);
        self.people.insert(member, Person { name, room: LOBBY.to_owned() });
        self.rooms.entry(LOBBY.to_owned()).or_default().enter(member);
    }

    /// Forgets somebody; `None` if that was done before.
    pub(crate) fn depart(&mut self, member: Token) -> Option<Person> {
        let person = self.people.remove(&member)?;
        self.names.remove(person.name.key());
        self.vacate(&person.room, member);
        Some(person)
    }

    /// Gives somebody another name; answers the one before.
    pub(crate) fn rename(&mut self, member: Token, name: Name) -> Result<Name, String> {
        if self.names.get(name.key()).is_some_and(|owner| *owner != member) {
            return Err(format!("the name {name} is taken"));
        }
        let Some(person) = self.people.get_mut(&member) else { return Err("you have left".to_owned()) };
        self.names.remove(person.name.key());
        self.names.insert(name.key().to_owned(), member);
        Ok(std::mem::replace(&mut person.name, name))
    }

    /// Moves somebody to another room, which is made if there is none; answers the key of the one before.
    pub(crate) fn move_to(&mut self, member: Token, room: &Name) -> Result<String, String> {
        let Some(person) = self.people.get_mut(&member) else { return Err("you have left".to_owned()) };
        if person.room == room.key() {
            return Err(format!("you are in #{room} already"));
        }
        if !self.rooms.contains_key(room.key()) && self.rooms.len() >= self.options.max_rooms {
            return Err(format!("there may be no more rooms than {}: see /rooms", self.options.max_rooms));
        }
        let old = std::mem::replace(&mut person.room, room.key().to_owned());
        self.rooms.entry(room.key().to_owned()).or_insert_with(|| Room::new(room.to_string())).enter(member);
        self.vacate(&old, member);
        Ok(old)
    }

    fn vacate(&mut self, key: &str, member: Token) {
        let Some(room) = self.rooms.get_mut(key) else { return };
        room.leave(member);
        if room.members().is_empty() && key != LOBBY {
            self.rooms.remove(key);
        }
    }

    /// Says something to the others in the room of the one who speaks.
    pub(crate) fn tell_others(&self, cx: &mut Cx<'_>, text: String) {
        let own = cx.token();
        if let Some(room) = self.room_of(own) {
            cx.broadcast(room.others(own), shared(text));
        }
    }

    /// Says something in a room that the speaker has left.
    pub(crate) fn tell_room(&self, cx: &mut Cx<'_>, key: &str, text: String) {
        if let Some(room) = self.rooms.get(key) {
            cx.broadcast(room.members().iter().copied(), shared(text));
        }
    }

    /// The same as `tell_others`, and the room remembers it. However many they are, the text is there once.
    pub(crate) fn say(&mut self, cx: &mut Cx<'_>, text: String) -> Broadcast {
        let own = cx.token();
        let room = self.people.get(&own).and_then(|person| self.rooms.get_mut(&person.room));
        let Some(room) = room else { return Broadcast::default() };
        let line = shared(text);
        self.lines += 1;
        // Half a queue, so that one who joins can be sent all of it.
        room.keep(&line, self.options.history_lines(), self.options.queue / 2);
        cx.broadcast(room.others(own), &line)
    }
}

/// Text that many queues, and the history, hold by reference.
fn shared(text: String) -> Arc<[u8]> {
    text.into_bytes().into()
}
