//! A metric that there is once for each of some labels. The members are known when it is told, so that those who count
//! have theirs at hand and look nothing up.

use std::fmt;

use prometheus_client::encoding::{EncodeMetric, MetricEncoder};
use prometheus_client::metrics::{MetricType, TypedMetric};

type Labels = Vec<(&'static str, String)>;

#[derive(Debug)]
pub struct Labelled<M>(Vec<(Labels, M)>);

impl<M> Labelled<M> {
    /// By the values of one label.
    pub fn by<V: ToString>(label: &'static str, members: impl IntoIterator<Item = (V, M)>) -> Self {
        Self(members.into_iter().map(|(value, metric)| (vec![(label, value.to_string())], metric)).collect())
    }

    /// By the values of two labels.
    pub fn by_two<V: ToString, W: ToString>(
        labels: [&'static str; 2],
        members: impl IntoIterator<Item = (V, W, M)>,
    ) -> Self {
        let [first, second] = labels;
        let labelled = |(one, two, metric): (V, W, M)| {
            (vec![(first, one.to_string()), (second, two.to_string())], metric)
        };
        Self(members.into_iter().map(labelled).collect())
    }
}

impl<M: EncodeMetric + TypedMetric> EncodeMetric for Labelled<M> {
    fn encode(&self, mut encoder: MetricEncoder) -> fmt::Result {
        self.0.iter().try_for_each(|(labels, metric)| metric.encode(encoder.encode_family(labels)?))
    }

    fn metric_type(&self) -> MetricType {
        M::TYPE
    }
}
