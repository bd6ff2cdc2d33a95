//! What another thread sends to the loops of the peers.

use std::sync::mpsc::SyncSender;

pub enum Message {
    /// Send a word on this channel.
    Answer(SyncSender<()>),
    /// The round is over.
    End,
}

impl Message {
    /// Does what is asked; true at the end.
    pub fn deliver(self) -> bool {
        match self {
            // Who asked may have gone.
            Self::Answer(answer) => {
                let _ = answer.send(());
                false
            }
            Self::End => true,
        }
    }
}
