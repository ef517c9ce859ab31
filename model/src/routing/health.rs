//! What is down.

/// Which components are down: a bit for each, by the indices of
/// [`RoutingGraph::components`](super::RoutingGraph::components).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct HealthVector {
    /// Without zeros at the end, so that equal sets are equal.
    down: Vec<u64>,
}

impl HealthVector {
    /// Nothing is down.
    pub const ALL_UP: Self = Self { down: Vec::new() };

    /// Whether the component is down.
    pub fn is_down(&self, component: usize) -> bool {
        let word = self.down.get(component / 64).copied().unwrap_or_default();
        word >> (component % 64) & 1 == 1
    }

    /// The component is down from now on.
    pub fn fail(&mut self, component: usize) {
        let word = component / 64;
        if word >= self.down.len() {
            self.down.resize(word + 1, 0);
        }
        self.down[word] |= 1 << (component % 64);
    }

    /// The component is up from now on.
    pub fn mend(&mut self, component: usize) {
        if let Some(word) = self.down.get_mut(component / 64) {
            *word &= !(1 << (component % 64));
        }
        let len = self.down.iter().rposition(|word| *word != 0).map_or(0, |last| last + 1);
        self.down.truncate(len);
    }

    /// The components that are down, in the order of their indices.
    pub fn down(&self) -> impl Iterator<Item = usize> {
        let bits = |(at, word): (usize, &u64)| {
            let word = *word;
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| at * 64 + bit)
        };
        self.down.iter().enumerate().flat_map(bits)
    }

    /// How many components are down.
    pub fn count(&self) -> usize {
        self.down.iter().map(|word| word.count_ones() as usize).sum()
    }
}

/// These components are down.
impl FromIterator<usize> for HealthVector {
    fn from_iter<T: IntoIterator<Item = usize>>(components: T) -> Self {
        let mut health = Self::ALL_UP;
        components.into_iter().for_each(|component| health.fail(component));
        health
    }
}
