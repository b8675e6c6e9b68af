//! A page of parts that share a limit: the important ones take their room first, whatever their place on the page, and what does not fit is counted.

use crate::render::wording::counted;

/// A part of a page: a head, items, and a foot that says how many items are not there.
pub(super) struct Part {
    /// Lower goes first.
    pub priority: u8,
    /// It never takes more bytes.
    pub most: usize,
    /// Before the items.
    pub head: String,
    /// The items, each with its line end.
    pub items: Vec<String>,
    /// Items that were not there to begin with.
    pub more: u64,
    /// What an item is called.
    pub what: &'static str,
    /// Between the items and the words on the remainder.
    pub close: String,
    /// At the end.
    pub tail: String,
    /// What the whole part is called when it is left out.
    pub name: &'static str,
}

impl Part {
    /// Text that is there whole or not at all.
    pub(super) fn block(priority: u8, name: &'static str, text: String) -> Self {
        let most = text.len();
        Self {
            priority,
            most,
            head: text,
            items: Vec::new(),
            more: 0,
            what: "",
            close: String::new(),
            tail: String::new(),
            name,
        }
    }

    fn foot(&self, left: u64) -> String {
        let left =
            if left == 0 { String::new() } else { format!("\n… and {} not shown.\n", counted(left, self.what)) };
        format!("{}{left}{}", self.close, self.tail)
    }

    fn length(&self) -> usize {
        let all = self.head.len() + self.items.iter().map(String::len).sum::<usize>();
        all.min(self.most)
    }

    /// As much as fits; `None` where not even one item does.
    fn fit(&self, room: usize) -> Option<String> {
        let room = room.min(self.most);
        let mut used = self.head.len() + self.foot(u64::MAX).len().min(self.foot(0).len() + 80);
        if used > room && !(self.items.is_empty() && self.head.len() <= room) {
            return None;
        }
        let fitting = self.items.iter().take_while(|item| {
            used += item.len();
            used <= room
        });
        let taken: Vec<&String> = fitting.collect();
        if taken.is_empty() && !self.items.is_empty() {
            return None;
        }
        let left = (self.items.len() - taken.len()) as u64 + self.more;
        let mut out = self.head.clone();
        taken.iter().for_each(|item| out.push_str(item));
        out.push_str(&self.foot(left));
        Some(out)
    }
}

/// Lays the parts out within a limit. The second is how often each kind of part was left out, in the order of the page.
pub(super) fn lay_out(parts: &[Part], limit: usize) -> (String, Vec<(&'static str, u64)>) {
    let mut placed: Vec<Option<String>> = parts.iter().map(|_| None).collect();
    let mut room = limit;
    let mut order: Vec<usize> = (0..parts.len()).collect();
    // Of one priority the short ones first: what they do not need is the others'.
    order.sort_by_key(|at| parts.get(*at).map_or((0, 0), |part| (part.priority, part.length())));
    for (done, at) in order.iter().enumerate() {
        let Some(part) = parts.get(*at) else { continue };
        // Those of one priority share what is left evenly.
        let peers = order.iter().skip(done).take_while(|o| parts.get(**o).is_some_and(|p| p.priority == part.priority));
        let text = part.fit(room / peers.count().max(1)).or_else(|| {
            // A short one may take more than its share.
            (part.items.is_empty()).then(|| part.fit(room)).flatten()
        });
        room -= text.as_ref().map_or(0, String::len);
        if let Some(slot) = placed.get_mut(*at) {
            *slot = text;
        }
    }
    let mut left_out: Vec<(&'static str, u64)> = Vec::new();
    for (part, text) in parts.iter().zip(&placed) {
        if text.is_none() {
            match left_out.iter_mut().find(|(name, _)| *name == part.name) {
                Some((_, count)) => *count += 1,
                None => left_out.push((part.name, 1)),
            }
        }
    }
    (placed.into_iter().flatten().collect(), left_out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(priority: u8, items: usize, size: usize) -> Part {
        Part {
            items: (0..items).map(|n| format!("{:<1$}\n", n, size - 1)).collect(),
            most: usize::MAX,
            what: "row",
            ..Part::block(priority, "list", "head\n".into())
        }
    }

    #[test]
    fn never_over_the_limit_and_what_is_missing_is_said() {
        for limit in (0..3_000).step_by(37) {
            let parts = [list(3, 50, 40), Part::block(0, "title", "title\n".into()), list(1, 3, 20), list(3, 2, 40)];
            let (page, left_out) = lay_out(&parts, limit);
            assert!(page.len() <= limit, "{} of {limit}", page.len());
            if limit > 600 {
                assert!(page.contains("title\n") && left_out.is_empty(), "{limit}: {page}");
                assert!(limit > 2_100 || page.contains("not shown"), "{limit}: {page}");
                assert!(limit < 2_400 || !page.contains("not shown"), "{limit}: {page}");
            }
        }
    }
}
