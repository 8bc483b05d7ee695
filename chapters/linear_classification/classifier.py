# /// lesson
# name = "classifier"
# title = "What all classifiers share"
# sections = ["4.3"]
# needs = ["image-dataset"]
# data = ["fashion-mnist"]
# main = "linear"
# [time]
# smoke = "3 s"
# standard = "10 s"
# full = "1 min"
# [promises]
# standard = ["linear: val_acc >= 0.77", "lesson: loop_gap <= 1e-4"]
# full = [
#   "linear: val_acc >= 0.77", "overtrained: val_acc >= 0.80", "overtrained: val_loss >= 0.65",
#   "lesson: loop_gap <= 1e-4", "lesson: count_gap <= 1e-6",
#   "lesson: error_before >= 0.07", "lesson: error_after <= 0.03",
# ]
# ///

# %% [markdown]
# # What all classifiers share
#
# A laboratory buys a machine that sorts skin lesions by photograph into ten kinds. The maker says: right in 86 per cent
# of all cases. The physician who is to work with it has more questions. Right on which pictures, those it was made
# with? Which kinds does it confuse, and is one of them dangerous? And when it says "98 per cent sure", is it right 98
# times in a hundred?
#
# None of these questions is about what is inside the machine. Whether it is a weighted sum or a network with a hundred
# layers, a classifier takes an input and returns one score for each class; everything else, how it is trained,
# validated, counted and corrected, is the same for all. In this lesson we build that part once. Models come in the
# lessons that follow, and they will find it ready.

# %%
from dataclasses import replace
from functools import partial

import numpy as np
from d2l_chapters.linear_classification.image_dataset import fashion

from d2l_core import nn, optim, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import FASHION_MNIST_LABELS, Loader, to_float_images
from d2l_core.lessons import Job, report, scale
from d2l_core.nn.functional import accuracy, cross_entropy, one_hot, softmax
from d2l_core.plots import COLOURS, INK, Diagram, house_style
from d2l_core.training import Data

# %% [markdown]
# ## The idea
#
# Scores go two ways. The *loss* tells the optimiser which way to move; it must be smooth, and it is judged by its
# gradient. The *metrics* tell us how good the model is; they need not be smooth, must mean something to us, and are
# taken on pictures that the optimiser never sees.


# %%
def diagram_roads():
    """The two roads from the scores: loss and optimiser in training, metrics in validation."""
    diagram = Diagram(560, 200, "loss and metrics")
    images = diagram.box(10, 75, 80, 40, "pictures", "(B, 1, 28, 28)")
    model = diagram.box(140, 75, 80, 40, "model")
    scores = diagram.box(270, 75, 80, 40, "scores", "(B, 10)")
    loss = diagram.box(420, 15, 120, 40, "loss", "smooth, training")
    metrics = diagram.box(420, 120, 120, 40, "metrics", "meaningful, validation")
    for start, end in ((images, model), (model, scores), (scores, loss), (scores, metrics)):
        diagram.arrow(start, end)
    diagram.arrow((420, 28), (190, 73), dashed=True)
    diagram.text(270, 32, "gradient", size=11)
    return diagram


# %%
if __name__ == "__main__":
    diagram_roads()

# %% [markdown]
# ## The mathematics
#
# Let $\mathbf{o}_i \in \mathbb{R}^k$ be the scores of example $i$, $y_i \in \{0, \dots, k - 1\}$ its class, and
# $\hat{y}_i = \arg\max_j o_{ij}$ the answer. The *accuracy* on $n$ examples is
#
# $$A = \frac{1}{n} \sum_{i=1}^n [\hat{y}_i = y_i],$$
#
# with $[\cdot]$ one if the statement is true and zero otherwise. As a function of the weights it is a staircase: a
# small change of the weights changes no answer, or flips one at a jump. Its gradient is zero wherever it exists, so
# that nothing can be learned from it. The [cross-entropy](softmax_and_cross_entropy.py), $-\log p_{i y_i}$ with the
# probabilities $\mathbf{p}_i = \operatorname{softmax}(\mathbf{o}_i)$, has a useful gradient everywhere, and it
# bounds the number of errors: a wrong answer has $p_{iy_i} \le \frac12$ and costs at least $\log 2$, hence
#
# $$1 - A \;\le\; \frac{1}{\log 2} \cdot \frac{1}{n} \sum_{i=1}^n -\log p_{i y_i} .$$
#
# **A mean over batches.** Memory forces us to go through the examples in batches $b = 1, \dots, m$ of $n_b$ examples,
# with $n_1 + \dots + n_m = n$. From the mean $A_b$ of each batch we get the mean of all by
#
# $$A = \frac{1}{n} \sum_{b=1}^m n_b A_b ,$$
#
# each batch weighing by its size. The plain mean $\frac{1}{m} \sum_b A_b$ is the same only if all batches have one
# size. The last one is what is left over, and an example in it would count $n_1 / n_m$ times as much as another.
#
# **What is confused with what** is told by the *confusion matrix* $\mathbf{C}$ of shape $(k, k)$, whose entry
# $C_{jl}$ counts examples of class $j$ that were answered with $l$. With $\mathbf{Y}$ and $\hat{\mathbf{Y}}$, both
# $(n, k)$, holding the true classes and the answers as rows with a single one,
# $\mathbf{C} = \mathbf{Y}^\top \hat{\mathbf{Y}}$. The accuracy is its trace over $n$. $C_{jj} / \sum_l C_{jl}$ is
# the *recall* of class $j$, the share of its members that are found; $C_{ll} / \sum_j C_{jl}$ is the *precision* of
# the answer $l$, the share of such answers that are right. Counts of batches simply add up.
#
# **Is it as sure as it says?** Meteorologists asked this of their forecasts long before (Brier, 1950). Call
# $c_i = \max_j p_{ij}$ the *confidence* of an answer. A classifier is *calibrated* if, among all answers with
# confidence $c$, the share $c$ is right. To test it on finitely many examples, sort them by confidence into bins
# $B_1, \dots, B_r$ and compare in each bin the share of right answers with the mean confidence. The *expected
# calibration error* (Naeini, Cooper and Hauskrecht, 2015) is
#
# $$E = \sum_{q=1}^r \frac{|B_q|}{n} \; \Big| \frac{1}{|B_q|} \sum_{i \in B_q} [\hat{y}_i = y_i] - \frac{1}{|B_q|}
#   \sum_{i \in B_q} c_i \Big| .$$
#
# **One number mends much of it.** (Platt, 1999, had fitted two, a factor and a shift, to the scores of support vector
# machines.) Divide all scores by a temperature $T$, $\mathbf{p}_i = \operatorname{softmax}(\beta \mathbf{o}_i)$ with
# $\beta = 1/T$. No answer changes, only the confidence. The best $\beta$ for given scores minimises the cross-entropy,
# whose derivative is
#
# $$\frac{d}{d\beta} \frac{1}{n} \sum_i \Big( \log \sum_j e^{\beta o_{ij}} - \beta o_{i y_i} \Big)
#   = \frac{1}{n} \sum_i \Big( \sum_j p_{ij} o_{ij} - o_{i y_i} \Big) :$$
#
# the score that the model expects minus the score of what is true. It rises with $\beta$, because the derivative of the
# expected score is a variance, and so its only zero can be found by halving an interval.

# %% [markdown]
# ## From scratch
#
# Three functions: one pass over the training batches, one pass over the validation batches, and both in turn.


# %%
def accuracy_scratch(scores, labels):
    """Share of the rows of scores (B, k) whose largest entry is at the label (B,), a 0-d tensor."""
    answers = xp.argmax(scores, axis=1)  # (B, k) -> (B,)
    return xp.mean(xp.astype(answers == xp.astype(labels, answers.dtype), scores.dtype))  # (B,) -> ()


def train_pass(model, loader, lr, epoch):
    """One epoch of descent on the cross-entropy; returns the mean loss of the examples."""
    model.train()
    gradient_of = value_and_grad(lambda X, y: cross_entropy(model(X), y), model)
    total = 0.0
    for X, y in loader.epoch(epoch):  # (B, 1, 28, 28), (B,)
        loss, gradients = gradient_of(X, y)
        for path, parameter in model.parameters().items():
            parameter.value = parameter.value - lr * gradients[path]
        total += len(y) * float(xp.to_numpy(loss))
    return total / loader.num_examples


def validate(model, loader, metrics):
    """Mean of each metric over all examples of a loader, by name."""
    model.evaluate()
    totals, count = dict.fromkeys(metrics, 0.0), 0
    for X, y in loader.epoch(0):  # (B, 1, 28, 28), (B,)
        scores = model(X)  # (B, 1, 28, 28) -> (B, k)
        for name, metric in metrics.items():
            totals[name] += len(y) * float(xp.to_numpy(metric(scores, y)))
        count += len(y)
    return {name: total / count for name, total in totals.items()}


def train_by_hand(model, data, lr, epochs):
    """Records of all epochs: training loss, and loss and accuracy in validation."""
    metrics = {"loss": cross_entropy, "acc": accuracy_scratch}
    records = []
    for epoch in range(epochs):
        loss = train_pass(model, data.train, lr, epoch)
        records.append({"loss": loss} | {f"val_{k}": v for k, v in validate(model, data.val, metrics).items()})
    return records


# %% [markdown]
# ## Concise
#
# The library's `Trainer` does the same, with the batches compiled where the backend can, and a `Job` says what is to be
# trained. What classifiers share fits into one function; a lesson gives it a model and data and may replace whatever it
# likes.


# %%
def classification(model, data, epochs, lr=0.1):
    """The job of training any classifier: cross-entropy by SGD, judged by its accuracy."""
    return Job(
        model=model,
        data=data,
        loss=cross_entropy,
        optimiser=lambda module: optim.SGD(module, lr=lr),
        epochs=epochs,
        metrics={"acc": accuracy},
        headline="val_acc",
    )


def clothes(scale, seed, batch_size=256, few=None):
    """The embedded pictures of Fashion-MNIST for training, or the first `few` of them, and the test set to validate."""
    images, labels = fashion("train", "smoke" if scale == "smoke" else "standard")
    train = Loader(
        (images[:few], labels[:few]), batch_size, shuffle=True, stream=(seed, "shuffle"), transform=to_float_images
    )
    return Data(train, Loader(fashion("test", scale), batch_size, transform=to_float_images))


# %% [markdown]
# Two classifiers serve as examples. `linear` computes one weighted sum of the pixels for each class; this is
# [softmax regression](softmax_regression.py), the next lesson. It is trained on the 6,000 pictures that come with
# the package and validated, at full scale, on all 10,000 test pictures. `overtrained` is a network with one hidden
# layer, the kind of [multilayer perceptrons](../multilayer_perceptrons/mlp.py), which sees only 2,000 pictures, but
# each of them fifty times, in small batches and with momentum. What is inside does not matter here.


# %%
def linear():
    """Ten weighted sums of the pixels."""
    return nn.Sequential(nn.Flatten(), nn.Linear(10, weight_init=nn.initialisers.Normal(0.01)))


def network():
    """A hidden layer of 128 units between pixels and scores."""
    return nn.Sequential(nn.Flatten(), nn.Linear(128), nn.ReLU(), nn.Linear(10))


jobs = {
    "linear": classification(linear, clothes, {"smoke": 2, "standard": 10, "full": 10}),
    "overtrained": replace(
        classification(network, partial(clothes, batch_size=64, few=2000), {"smoke": 20, "standard": 50, "full": 50}),
        optimiser=lambda module: optim.SGD(module, lr=0.03, momentum=0.9),
    ),
}

# %%
if __name__ == "__main__":
    job = replace(jobs["linear"], epochs={"smoke": 2, "standard": 2, "full": 2})
    data = job.data(scale(), 0)
    model = job.model().initialise(*data.train.example()[:-1], seed=0)
    by_hand = train_by_hand(model, data, lr=0.1, epochs=2)
    history = job.run(scale()).history
    names = ("loss", "val_loss", "val_acc")
    gaps = [abs(ours[k] - theirs[k]) for ours, theirs in zip(by_hand, history.epochs, strict=True) for k in names]
    report(loop_gap=max(gaps))

# %% [markdown]
# The loop by hand and the library agree in loss and accuracy to the rounding of float32. Now both jobs in full.

# %%
if __name__ == "__main__":
    runs = {name: job.run(scale()) for name, job in jobs.items()}
    for name, run in runs.items():
        last = run.history.epochs[-1]
        print(f"{name:>12}: loss {last['loss']:.3f}, val_loss {last['val_loss']:.3f}, val_acc {last['val_acc']:.3f}")

# %%
if __name__ == "__main__":
    from d2l_core.lessons import results_table

    print(results_table("classifier"))

# %% [markdown]
# The linear model is right on 78.8 %<!--linear.val_acc--> of the validation pictures and the network on
# 82.2 %<!--overtrained.val_acc-->. By accuracy the network is better. But its validation loss is
# 0.682<!--overtrained.val_loss--> and that of the linear model 0.630<!--linear.val_loss-->, while its training loss
# went down to 0.095<!--overtrained.loss-->. How can more right answers cost more? The loss looks at how sure the
# answers are, and we shall see that this network is sure of its errors too.
#
# ## Counting errors


# %%
def confusion(scores, labels):
    """Counts (k, k) for scores (n, k) and labels (n,): row j, column l for examples of class j answered with l."""
    k = scores.shape[1]
    truth = one_hot(labels, k)  # (n,) -> (n, k)
    answers = one_hot(xp.argmax(scores, axis=1), k)  # (n, k) -> (n,) -> (n, k)
    return xp.matmul(xp.matrix_transpose(truth), answers)  # (k, n) @ (n, k) -> (k, k)


def scores_of(model, loader):
    """Scores (n, k) and labels (n,) of all examples of a loader."""
    model.evaluate()
    pairs = [(model(X), y) for X, y in loader.epoch(0)]
    return xp.concat([scores for scores, _ in pairs]), xp.concat([labels for _, labels in pairs])


@house_style
def plot_confusion(counts, names=FASHION_MNIST_LABELS):
    """Shares of each row of the counts (k, k), as a table with shades that let the page shine through."""
    import matplotlib.pyplot as plt
    from matplotlib.colors import to_rgb

    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    colour = np.broadcast_to(to_rgb(COLOURS[0]), (*shares.shape, 3))  # (k, k, 3)
    figure, axes = plt.subplots(figsize=(5.4, 4.6))
    axes.imshow(np.concatenate([colour, 0.25 * shares[..., None]], axis=-1))  # (k, k, 4)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.02:
            axes.text(column, row, f"{100 * share:.0f}", ha="center", va="center", fontsize=8)
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set(xlabel="answer", ylabel="truth", title="of 100 pictures of each row")
    return figure


# %%
if __name__ == "__main__":
    scores, labels = scores_of(runs["linear"].model, runs["linear"].data.val)  # (n, 10), (n,)
    counts = xp.to_numpy(confusion(scores, labels))  # (10, 10)
    recall, precision = np.diag(counts) / counts.sum(axis=1), np.diag(counts) / np.maximum(counts.sum(axis=0), 1)
    for name, found, right in zip(FASHION_MNIST_LABELS, recall, precision, strict=True):
        print(f"{name:>12}: recall {found:.2f}, precision {right:.2f}")
    report(
        count_gap=abs(np.trace(counts) / counts.sum() - runs["linear"].history.final("val_acc")),
        shirt_recall=recall[6],
        shirt_precision=precision[6],
        boot_recall=recall[9],
    )
    plot_confusion(counts)

# %% [markdown]
# The accuracy hides how unequal the classes are. The linear model finds 94 %<!--lesson.boot_recall--> of the ankle
# boots but only 34 %<!--lesson.shirt_recall--> of the shirts, and of its answers "shirt"
# 60 %<!--lesson.shirt_precision--> are right. For the physician the row of one dangerous kind would matter more
# than the mean of all.
#
# ## As sure as it says?


# %%
def reliability(scores, labels, bins=15):
    """For each bin of confidence: its count, mean confidence and share of right answers, three arrays (bins,)."""
    p = xp.to_numpy(softmax(scores))  # (n, k)
    confidence, right = p.max(axis=1), p.argmax(axis=1) == xp.to_numpy(labels)  # (n,), (n,)
    place = np.minimum((confidence * bins).astype(int), bins - 1)  # (n,)
    count = np.bincount(place, minlength=bins)
    filled = np.maximum(count, 1)
    return count, np.bincount(place, confidence, bins) / filled, np.bincount(place, right, bins) / filled


def calibration_error(scores, labels, bins=15):
    """The expected calibration error of the text, a float."""
    count, confidence, right = reliability(scores, labels, bins)
    return float(count @ np.abs(right - confidence) / count.sum())


def best_temperature(scores, labels, steps=40):
    """The temperature with the least cross-entropy for scores (n, k) and labels (n,), by halving an interval of 1/T."""
    chosen = xp.take_along_axis(scores, xp.expand_dims(labels, axis=1), axis=1)  # (n, k) -> (n, 1)
    low, high = 0.01, 100.0
    for _ in range(steps):
        beta = (low * high) ** 0.5
        expected = xp.sum(softmax(beta * scores) * scores, axis=1, keepdims=True)  # (n, k) -> (n, 1)
        too_sure = float(xp.to_numpy(xp.mean(expected - chosen))) > 0.0
        low, high = (low, beta) if too_sure else (beta, high)
    return 1.0 / beta


@house_style
def plot_reliability(before, after, bins=15):
    """Share of right answers by confidence, for two results of `reliability`."""
    import matplotlib.pyplot as plt

    figure, panels = plt.subplots(1, 2, figsize=(7.6, 3.3), sharey=True)
    for axes, (count, confidence, right), title in zip(
        panels, (before, after), ("as trained", "divided by T"), strict=True
    ):
        used = count > 0
        axes.plot([0, 1], [0, 1], "--", color=INK, label="calibrated")
        axes.plot(confidence[used], right[used], "o-", label="share of right answers")
        axes.bar((np.arange(bins) + 0.5) / bins, count / count.sum(), 0.9 / bins, alpha=0.3, label="share of pictures")
        axes.set(xlabel="confidence", title=title, xlim=(0, 1), ylim=(0, 1))
    panels[0].legend(loc="upper left")
    return figure


# %% [markdown]
# The temperature is itself learned, so it must not be judged on the pictures that chose it. We take one half of the
# validation pictures to choose and the other half to judge.

# %%
if __name__ == "__main__":
    scores, labels = scores_of(runs["overtrained"].model, runs["overtrained"].data.val)  # (n, 10), (n,)
    linear_scores = scores_of(runs["linear"].model, runs["linear"].data.val)
    half = len(labels) // 2
    T = best_temperature(scores[:half], labels[:half])
    judged, truth = scores[half:], labels[half:]
    report(
        temperature=T,
        error_before=calibration_error(judged, truth),
        error_after=calibration_error(judged / T, truth),
        loss_before=cross_entropy(judged, truth),
        loss_after=cross_entropy(judged / T, truth),
        sure=np.mean(xp.to_numpy(softmax(judged)).max(axis=1)),
        right=accuracy(judged, truth),
        linear_error=calibration_error(*linear_scores),
        linear_sure=np.mean(xp.to_numpy(softmax(linear_scores[0])).max(axis=1)),
    )
    plot_reliability(reliability(judged, truth), reliability(judged / T, truth))

# %% [markdown]
# The network's mean confidence is 92 %<!--lesson.sure--> and it is right in 82 %<!--lesson.right--> of the cases;
# its calibration error is 0.099<!--lesson.error_before-->. It trained on 2,000 pictures until it was sure of nearly
# all of them, and it is as sure of others. The linear model errs to the other side: after 240 short steps its
# scores are still small, its mean confidence is 71 %<!--lesson.linear_sure-->, less than its accuracy, and its
# calibration error 0.073<!--lesson.linear_error-->. The temperature of the network comes out as
# 1.97<!--lesson.temperature-->. With it the error falls to 0.017<!--lesson.error_after--> and the loss from
# 0.704<!--lesson.loss_before--> to 0.532<!--lesson.loss_after-->, while not a single answer changes. Guo, Pleiss,
# Sun and Weinberger (2017) found the same in large networks, where accuracy and calibration had come apart over the
# years, and that this one number mends most of it.
#
# ## What goes wrong
#
# **A plain mean over batches.** Let the validation pictures be sorted by class, as many files are, and let a single one
# be left for the last batch.


# %%
def plain_mean(model, loader, metric):
    """What one gets if each batch counts alike, whatever its size."""
    model.evaluate()
    return float(np.mean([xp.to_numpy(metric(model(X), y)) for X, y in loader.epoch(0)]))


def sorted_with_one_left(images, labels, batches=9):
    """The pictures by class, in `batches` batches of one size and a rest of as few as possible."""
    order = np.argsort(labels, kind="stable")
    return Loader((images[order], labels[order]), (len(labels) - 1) // batches, transform=to_float_images)


# %%
if __name__ == "__main__":
    model, loader = runs["linear"].model, sorted_with_one_left(*fashion("test"))
    report(
        weighted=validate(model, loader, {"acc": accuracy})["acc"],
        plain=plain_mean(model, loader, accuracy),
    )

# %% [markdown]
# Weighted by size, the accuracy is 78.8 %<!--lesson.weighted-->, the true one. The plain mean says
# 80.9 %<!--lesson.plain-->: a single boot counts as much as 1,111 other pictures. With batches of 256 the error is
# smaller, but it changes with the batch size, and a result that depends on the batch size of the *validation* is wrong.
#
# **Not everything is a mean.** Weights do not help where the quantity is no mean over examples. Precision is a quotient
# of two counts. Computed for each batch of 32 and averaged, it is another quantity: a batch without the answer "shirt"
# has no precision at all, and whoever counts it as zero, to avoid dividing by zero, pulls the mean down.

# %%
if __name__ == "__main__":
    small = Loader(fashion("test"), 32, transform=to_float_images)
    tables = [xp.to_numpy(confusion(model(X), y)) for X, y in small.epoch(0)]
    each = [table[6, 6] / max(table[:, 6].sum(), 1.0) for table in tables]
    total = np.sum(tables, axis=0)
    report(pooled_precision=total[6, 6] / total[:, 6].sum(), batch_precision=np.mean(each))

# %% [markdown]
# All counts together give 60.5 %<!--lesson.pooled_precision-->, the mean over batches
# 51.6 %<!--lesson.batch_precision-->. Add up counts first and divide once; the same holds for perplexities, roots
# of mean squares and areas under curves.
#
# **Validation in training mode.** Some layers behave differently in training: dropout crosses out hidden units at
# random. A model that is validated without `evaluate()` is handicapped, and gives another accuracy each time.

# %%
if __name__ == "__main__":
    weights = runs["overtrained"].model.state_dict()
    noisy = nn.Sequential(nn.Flatten(), nn.Linear(128), nn.ReLU(), nn.Dropout(0.7), nn.Linear(10))
    X, y = next(iter(Loader(fashion("test"), 1000, transform=to_float_images).epoch(0)))
    noisy.initialise(X, seed=0)
    noisy.load_state_dict({path.replace("3.", "4."): array for path, array in weights.items()})
    modes = {}
    for name, switch in (("evaluating", noisy.evaluate), ("training", noisy.train)):
        switch()
        modes[name] = accuracy(noisy(X), y)
    report(**modes)

# %% [markdown]
# The same weights, the same thousand pictures: 83 %<!--lesson.evaluating--> in the mode for evaluation and
# 61 %<!--lesson.training--> in the mode for training, with seven of ten hidden units crossed out. The `Trainer`
# switches by itself; loops by hand forget it.
#
# ## Under the surface
#
# PyTorch and Gluon have a loop written by the user. In PyTorch the mode is a flag of the module (`model.train()`,
# `model.eval()`), which says nothing about gradients: those are switched off by `torch.no_grad()`. In Gluon the mode
# belongs to the recording, `autograd.record(train_mode=True)`. Keras decides by an argument of the call,
# `training=True`, which `fit` and `evaluate` pass, and in Flax the mode is an argument or an attribute of the layer and
# the randomness is handed in by the caller.
#
# Means over batches differ as well. Keras keeps the running sum and the count of each metric, so that its result is
# weighted by examples. A loop that collects `loss.item()` and divides by `len(loader)`, found in many PyTorch programs,
# computes the plain mean. JAX programs often drop the last batch, because another shape means another compilation; in
# validation that leaves pictures out. Our `Trainer` compiles once for the full batches and once for the rest, and
# weights by size.
#
# Where two scores tie exactly, `argmax` takes the first on all backends, so that accuracies agree to the last picture
# as long as rounding moves no score across another. The recorded runs of the linear model do agree like this. Those of
# the network, 1,600 steps with momentum into a corner where it is sure of everything, agree with seed 2 and part with
# the other two: differences in the last digit have grown until the accuracies differ by a few thousandths. None is
# wrong, and a comparison of two frameworks by one such number would be worthless.
#
# ## Summary
#
# A classifier is anything that returns scores. It learns from the cross-entropy, which is smooth and bounds the
# number of errors, and is judged by metrics on data of its own. Means over batches weigh by size; quotients such as
# precision are computed from counts that were added up first. The confusion matrix tells which classes are
# confused, a reliability curve whether confidence can be believed, and a single temperature, chosen on pictures set
# aside, repairs a network that is too sure.
#
# ## Exercises
#
# Exercises with a star are checked by a program: `d2l exercise classifier` writes a stub to fill in, `d2l check FILE`
# examines it on every installed backend. Solutions to all are in `classifier_solutions.py`.
#
# 1. ★ *Every class alike.* In a hospital 99 of 100 pictures show the harmless kind, and "harmless" is right in 99
#    per cent of all cases. Write `balanced_accuracy(counts)`, the mean of the recalls of all classes that occur,
#    from a confusion matrix. What does the constant answer get now?
# 2. ★ *The curve behind the temperature.* Write `mean_surplus(scores, labels, beta)`, the derivative of the
#    cross-entropy with respect to $\beta$ from the text. It must not overflow for large scores.
# 3. *Costs.* To send a coat to the shelf of the shirts costs 1, to send a shirt to the coats costs 5. Which answer is
#    the cheapest on average, given the probabilities? How does the confusion matrix change?
# 4. *Only when sure.* Let the classifier pass on to a person all pictures whose confidence is below a threshold.
#    Plot the accuracy on the rest against the share that is passed on.
# 5. *The last batch in training.* 60,000 pictures make 234 batches of 256 and one of 96. How much does a picture of the
#    last batch count for in its step? Is this the error of the plain mean again, and what would you do about it?
#
# ## References
#
# - G. W. Brier (1950), *Verification of Forecasts Expressed in Terms of Probability*, Monthly Weather Review 78.
# - J. C. Platt (1999), *Probabilistic Outputs for Support Vector Machines and Comparisons to Regularized Likelihood
#   Methods*, in Advances in Large Margin Classifiers.
# - M. P. Naeini, G. F. Cooper and M. Hauskrecht (2015), *Obtaining Well Calibrated Probabilities Using Bayesian
#   Binning*, AAAI.
# - C. Guo, G. Pleiss, Y. Sun and K. Q. Weinberger (2017), *On Calibration of Modern Neural Networks*, ICML.
