//! Which control plane is dialled next: the one that leads, as far as this node was told, else the next of its list.
//!
//! Whatever it is told, a node only links with the holder of the key that it enrolled with.

use super::Control;

pub struct Controls {
    known: Vec<Control>,
    at: usize,
    /// Where the one that follows another sent us.
    told: Option<Control>,
}

impl Controls {
    /// `known` holds at least one.
    pub fn new(known: Vec<Control>) -> Self {
        Self { known, at: 0, told: None }
    }

    pub fn current(&self) -> &Control {
        self.told.as_ref().unwrap_or(&self.known[self.at])
    }

    /// This one did not take us in: the next is tried. Says whether all were tried by now.
    pub fn next(&mut self) -> bool {
        // Whoever we were sent to may be gone too.
        if self.told.take().is_none() {
            self.at = (self.at + 1) % self.known.len();
        }
        self.at == 0
    }

    /// Takes the first address that can be used from here; whether there was one.
    pub fn sent_to(&mut self, leader: &[String]) -> bool {
        let mut usable = leader.iter().filter_map(|url| Control::parse(url).ok());
        let Some(leader) = usable.find(|leader| leader != self.current()) else { return false };
        match self.known.iter().position(|known| *known == leader) {
            Some(at) => (self.at, self.told) = (at, None),
            None => self.told = Some(leader),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn urls(ports: &[u16]) -> Vec<Control> {
        ports.iter().map(|port| Control::parse(&format!("ws://127.0.0.1:{port}/")).unwrap()).collect()
    }

    #[test]
    fn each_is_tried_in_turn_and_whoever_leads_first() {
        let mut controls = Controls::new(urls(&[1, 2, 3]));
        let at = |controls: &Controls| controls.current().authority.rsplit(':').next().unwrap().to_owned();
        assert!(!controls.next());
        assert_eq!(at(&controls), "2");
        assert!(controls.sent_to(&["ws://far.example:1/".into(), "ws://127.0.0.1:1/".into()]));
        assert_eq!(at(&controls), "1", "what is not encrypted and leads elsewhere is no place to go");
        assert!(!controls.sent_to(&["ws://127.0.0.1:1/".into()]), "that is where we were");
        assert!(controls.sent_to(&["ws://127.0.0.1:9/".into()]));
        assert_eq!(at(&controls), "9", "one that was added since");
        controls.next();
        assert_eq!(at(&controls), "1");
        assert!(!controls.next() && !controls.next() && controls.next());
    }
}
