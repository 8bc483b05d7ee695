# /// lesson
# name = "distribution-shift"
# title = "Distribution shift"
# sections = ["4.7"]
# needs = ["softmax-regression"]
# data = ["fashion-mnist"]
# [time]
# smoke = "2 s"
# standard = "1 min"
# full = "1 min"
# [promises]
# standard = ["lesson: agreement <= 1e-5"]
# full = [
#   "lesson: agreement <= 1e-5", "lesson: log_weight_correlation >= 0.95", "lesson: gain_by_weights >= 0.02",
#   "lesson: gain_by_shares >= 0.015", "lesson: better_than_counted >= 1.4", "lesson: left_of_the_sample <= 0.03",
# ]
# ///

# %% [markdown]
# # Distribution shift
#
# The warehouse of [softmax regression](softmax_regression.py) trained its model in February. People were sending
# back coats, boots and dark pullovers. In July the same model looks at sandals and white dresses, under the lamp
# that was put up in May, and since June the shop has been filing pullovers with the shirts. Nobody has touched the
# weights. Are the answers still as good as they were?
#
# Everything we know about a model comes from examples drawn from one distribution, the *source*. It works on
# examples from another, the *target*. There are three ways in which the two can differ, and they call for three
# different answers. Two of them can be mended without a single new label; the third cannot even be seen without
# some.

# %%
import numpy as np
from d2l_chapters.linear_classification.softmax_regression import softmax

from d2l_core import nn, optim, random, xp
from d2l_core.autodiff import value_and_grad
from d2l_core.data import FASHION_MNIST_LABELS, load_fashion_mnist
from d2l_core.lessons import report, scale
from d2l_core.plots import house_style

# %% [markdown]
# ## The idea
#
# Let $p(x, y)$ be the source and $q(x, y)$ the target, where $x$ is an image and $y$ its label. Each joint
# distribution can be taken apart in two ways, $p(x)\, p(y \mid x)$ and $p(y)\, p(x \mid y)$, and one may ask which
# factor has changed.
#
# With *covariate shift* only $p(x)$ changes: dark pieces become rare and light ones frequent, but a given
# photograph means what it always meant, $q(y \mid x) = p(y \mid x)$. With *label shift* only $p(y)$ changes: more
# sandals and fewer boots come in, but a sandal looks as it always did, $q(x \mid y) = p(x \mid y)$. With *concept
# shift* the rule $p(y \mid x)$ itself changes. The figure shows them on a single feature $x$ and two classes:
# above, how often a class occurs at $x$; below, the probability of the second class given $x$.


# %%
def two_classes(x, weight=0.5, centres=(-1.0, 1.0)):
    """Joint densities of two unit normal classes at x (n,), and the probability of the second (n,)."""
    first, second = (np.exp(-0.5 * (x - centre) ** 2) / np.sqrt(2 * np.pi) for centre in centres)
    joint = np.stack([(1 - weight) * first, weight * second])  # (2, n)
    posterior = joint[1] / joint.sum(axis=0)  # (n,)
    return joint, posterior


@house_style
def plot_three_shifts():
    """The source and the three kinds of target on one feature."""
    import matplotlib.pyplot as plt

    x = np.linspace(-4, 4, 401)
    joint, posterior = two_classes(x)
    tilt = np.exp(1.2 * x)
    moved = joint * tilt / np.sum(joint * tilt) * np.sum(joint)
    rarer, other_posterior = two_classes(x, weight=0.15)
    changed = np.where(x > 1.5, 1 - posterior, posterior)
    total = joint.sum(axis=0)
    panels = {
        "source": (joint, posterior),
        "covariate shift": (moved, posterior),
        "label shift": (rarer, other_posterior),
        "concept shift": (np.stack([total * (1 - changed), total * changed]), changed),
    }
    figure, axes = plt.subplots(2, 4, figsize=(10, 3.8), sharex=True, sharey="row")
    for column, (title, (densities, rule)) in zip(axes.T, panels.items(), strict=True):
        column[0].plot(x, densities[0], "C0-", label="class 0")
        column[0].plot(x, densities[1], "C1--", label="class 1")
        column[0].set(title=title)
        column[1].plot(x, rule, "C2-")
        column[1].set(xlabel="$x$")
    axes[0, 0].set(ylabel="density")
    axes[0, 0].legend()
    axes[1, 0].set(ylabel=r"$P(y = 1 \mid x)$")
    return figure


# %%
if __name__ == "__main__":
    plot_three_shifts()

# %% [markdown]
# ## The mathematics
#
# **Covariate shift: weigh the examples.** Let $\ell(f(x), y)$ be the loss of a model $f$ on one example. What
# counts is its mean over the target. Where $p(x) > 0$ wherever $q(x) > 0$,
#
# $$\mathbb{E}_q[\ell] = \int\!\!\sum_y \ell(f(x), y)\, q(x)\, p(y \mid x)\, dx
#   = \int\!\!\sum_y \ell(f(x), y)\, \frac{q(x)}{p(x)}\, p(x)\, p(y \mid x)\, dx
#   = \mathbb{E}_p\!\left[w(x)\, \ell(f(x), y)\right], \qquad w(x) = \frac{q(x)}{p(x)} .$$
#
# A mean over the target has become a weighted mean over the source, whose labels we have. We could estimate both
# densities, which is hopeless for images, but we only need their ratio. Put $n_p$ source images and $n_q$ target
# images into one heap, mark them $z = 0$ and $z = 1$, and train a classifier to tell which is which: the *domain
# classifier*. By Bayes' rule an image $x$ from the heap is a target image with probability
#
# $$P(z = 1 \mid x) = \frac{n_q\, q(x)}{n_q\, q(x) + n_p\, p(x)},
#   \qquad\text{so}\qquad w(x) = \frac{n_p}{n_q} \cdot \frac{P(z = 1 \mid x)}{P(z = 0 \mid x)}
#   = \frac{n_p}{n_q} \exp(o(x)),$$
#
# where $o(x)$ is the logit of the domain classifier. No label of the target has been used.
#
# **What weights cost.** Let $\ell_i$ be $n$ losses, independent and with the same variance $\sigma^2$. Their
# weighted mean $\sum_i w_i \ell_i / \sum_i w_i$ has the variance $\sigma^2 \sum_i w_i^2 / (\sum_i w_i)^2$. A plain
# mean has $\sigma^2/n$. Setting both equal gives the *effective sample size* (Kish, 1965)
#
# $$n_{\text{eff}} = \frac{\big(\sum_i w_i\big)^2}{\sum_i w_i^2},$$
#
# which is $n$ if all weights are equal and 1 if a single example holds all the weight. Thousands of weighted
# examples may be worth a few dozen.
#
# **Label shift: solve for the shares.** Now $q(x) = \sum_j q(y{=}j)\, p(x \mid y{=}j)$. Let $\hat{y}(x)$ be the answers
# of any classifier with $k$ classes. How it answers the images of class $j$ has not changed, so the shares of its
# answers on the target are, with $P$ and $Q$ for probabilities in source and target,
#
# $$\mu_i = Q(\hat{y} = i) = \sum_j P(\hat{y} = i \mid y = j)\, q(y{=}j)
#   = \sum_j \underbrace{P(\hat{y} = i, y = j)}_{C_{ij}}\; \underbrace{\frac{q(y{=}j)}{p(y{=}j)}}_{w_j},
#   \qquad \boldsymbol\mu = \mathbf{C}\mathbf{w} .$$
#
# The *confusion matrix* $\mathbf{C}$, of shape $(k, k)$, is counted on held-out source examples, $\boldsymbol\mu$,
# of shape $(k,)$, on the target without labels; $k$ equations give the $k$ weights (Lipton, Wang and Smola, 2018).
# The classifier need not be good. It only has to make $\mathbf{C}$ invertible, that is, confuse the classes in
# different ways.
#
# If moreover the classifier's probabilities $p(y \mid x)$ can be trusted, there is a second way. The target images
# have the likelihood $\prod_x \sum_j q_j\, p(x \mid j)$, and since $p(x \mid j) \propto p(j \mid x)/p_j$ for fixed
# $x$, we can maximise it over the shares $q_j$ without knowing $p(x \mid j)$. *Expectation maximisation* repeats
# two lines (Saerens, Latinne and Decaestecker, 2002):
#
# $$r_j(x) = \frac{(q_j/p_j)\, p(j \mid x)}{\sum_l (q_l/p_l)\, p(l \mid x)}, \qquad
#   q_j \leftarrow \frac{1}{n_q}\sum_x r_j(x) .$$
#
# The first is Bayes' rule with the new shares: it is at the same time the corrected answer. The second counts the
# classes in these answers. Each round raises the likelihood or leaves it as it is.

# %% [markdown]
# ## From scratch
#
# Everything below needs one tool, softmax regression with a weight for each example. We write it with primitives.
# The gradient of the weighted mean loss is that of softmax regression with each row multiplied by its weight,
# $\mathbf{G} = (\mathbf{P} - \mathbf{Y}) \odot \mathbf{w} / \sum_i w_i$, and the descent uses the full batch and
# momentum, so that the result depends on nothing random.


# %%
STEPS = {"smoke": 10, "standard": 150, "full": 150}
SEEDS = {"smoke": 1, "standard": 3, "full": 3}


def summing_to_one(weights, n):
    """Weights as a column (n, 1) that adds up to one; equal ones for None."""
    weights = np.ones(n) if weights is None else np.asarray(weights, dtype=np.float64)
    return xp.asarray((weights / weights.sum())[:, None])  # (n, 1)


def fit(X, labels, example_weights=None, num_classes=10, steps=150, lr=0.3, momentum=0.9):
    """Weighted softmax regression on features X (n, d): the weight (d, k) and the bias (1, k)."""
    X, Y = xp.asarray(X), xp.asarray(np.eye(num_classes)[labels])  # (n, d), (n, k)
    share = summing_to_one(example_weights, len(labels))  # (n, 1)
    weight, bias = xp.zeros((X.shape[1], num_classes)), xp.zeros((1, num_classes))
    speed_w, speed_b = xp.zeros_like(weight), xp.zeros_like(bias)
    for _ in range(steps):
        G = share * (softmax(xp.matmul(X, weight) + bias) - Y)  # (n, k)
        speed_w = momentum * speed_w + xp.matmul(xp.matrix_transpose(X), G)  # (d, n) @ (n, k) -> (d, k)
        speed_b = momentum * speed_b + xp.sum(G, axis=0, keepdims=True)  # (1, k)
        weight, bias = weight - lr * speed_w, bias - lr * speed_b
    return weight, bias


def probabilities(parameters, X):
    """Class probabilities (n, k) of a fitted model, on the host."""
    weight, bias = parameters
    return xp.to_numpy(softmax(xp.matmul(xp.asarray(X), weight) + bias))


def mean_loss(parameters, X, labels):
    """Cross-entropy of a fitted model."""
    return float(-np.mean(np.log(probabilities(parameters, X)[np.arange(len(labels)), labels])))


def mean_accuracy(parameters, X, labels):
    """Share of right answers of a fitted model."""
    return float(np.mean(probabilities(parameters, X).argmax(axis=1) == labels))


# %% [markdown]
# The images are the 7,000 of Fashion-MNIST that this package carries, at every scale. To keep the models small and
# quick we average the pixels over squares of 4 by 4, which leaves 49 features, and standardise them.


# %%
def clothes(dimmed=1.0):
    """All embedded images as (n, 28, 28) between 0 and `dimmed`, and their labels (n,)."""
    pairs = [load_fashion_mnist(split, sample=True) for split in ("train", "test")]
    images = np.concatenate([images for images, _ in pairs]) / 255  # (7000, 28, 28)
    labels = np.concatenate([labels for _, labels in pairs]).astype(np.int64)  # (7000,)
    return dimmed * images, labels


def pooled(images, side):
    """Means over squares of `side` pixels: (n, 28, 28) to (n, (28 / side) ** 2)."""
    n, cells = len(images), 28 // side
    return images.reshape(n, cells, side, cells, side).mean(axis=(2, 4)).reshape(n, -1)


def features(images, side=4, reference=None):
    """`pooled` images, standardised by those of the reference (all embedded images by default)."""
    base = pooled(clothes()[0] if reference is None else reference, side)
    return (pooled(images, side) - base.mean(axis=0)) / base.std(axis=0)


# %% [markdown]
# ## Concise
#
# With the library the same is a linear layer, a loss that multiplies by the weights before it averages, and SGD
# with momentum. Started from zeros, both must arrive at the same weights.


# %%
def weighted_cross_entropy(logits, labels, example_weights):
    """Weighted mean of -log p of the right class: logits (n, k), integers (n,), weights (n,)."""
    log_p = logits - xp.logsumexp(logits, axis=-1, keepdims=True)  # (n, k)
    chosen = xp.take_along_axis(log_p, xp.expand_dims(labels, axis=-1), axis=-1)  # (n, 1)
    return -xp.sum(example_weights * xp.squeeze(chosen, axis=-1)) / xp.sum(example_weights)  # ()


def fit_with_library(X, labels, example_weights, num_classes=10, steps=150):
    """The linear layer that `fit` finds, found by the library."""
    X, y = xp.asarray(X), xp.asarray(np.asarray(labels, dtype=np.int32))
    w = xp.asarray(example_weights)
    zeros = nn.initialisers.Constant(0.0)
    model = nn.Linear(num_classes, weight_init=zeros).initialise(X, seed=0)
    optimiser = optim.SGD(model, lr=0.3, momentum=0.9)
    step = value_and_grad(lambda X, y, w: weighted_cross_entropy(model(X), y, w), model)
    for _ in range(steps):
        optimiser.update(step(X, y, w)[1])
    return model


# %%
if __name__ == "__main__":
    images, labels = clothes()
    X, weights = features(images)[:500], random.uniform(500, "shift", "weights", low=0.5, high=2.0)
    ours = fit(X, labels[:500], weights, steps=50)
    theirs = fit_with_library(X, labels[:500], weights, steps=50)
    report(agreement=np.abs(xp.to_numpy(ours[0]).T - xp.to_numpy(theirs.weight)).max())

# %% [markdown]
# ## Dark in winter, light in summer
#
# For an experiment with covariate shift we need to know the truth, so we make the shift ourselves, and by looking
# at nothing but the image. Let $b(x)$ be the mean brightness of an image, standardised. Each image goes to the
# target, "summer", with probability $1/(1 + e^{-a\, b(x)})$, and else to the source, "winter". With $a = 1.5$ the
# target is lighter. The true weight of an image is then proportional to $e^{a\, b(x)}$. Half of the target is what
# we may look at, without its labels; on the other half we measure.


# %%
STRENGTH = 1.5


def brightness(images):
    """Standardised mean brightness (n,) of images (n, 28, 28)."""
    mean = images.mean(axis=(1, 2))
    return (mean - mean.mean()) / mean.std()


def winter_and_summer(images, seed, strength=STRENGTH):
    """Indices of the source, of the visible and of the hidden half of the target."""
    chance = 1 / (1 + np.exp(-strength * brightness(images)))  # (n,)
    summer = random.uniform(len(images), "shift", "season", seed) < chance
    target = np.flatnonzero(summer)
    return np.flatnonzero(~summer), target[::2], target[1::2]


def domain_logits(source, target, steps=150):
    """Logit (n,) of "is from the target" for the source features, by a linear domain classifier."""
    heap = np.concatenate([source, target])  # (n_p + n_q, d)
    z = np.repeat([0, 1], [len(source), len(target)])
    weight, bias = fit(heap, z, num_classes=2, steps=steps)
    logits = xp.to_numpy(xp.matmul(xp.asarray(source), weight) + bias)  # (n_p, 2)
    return logits[:, 1] - logits[:, 0]


def importance_weights(source, target, steps=150):
    """Estimated q / p (n_p,) at the source features."""
    return len(source) / len(target) * np.exp(domain_logits(source, target, steps))


def effective_size(weights):
    """Kish's effective sample size of weights (n,)."""
    return float(np.sum(weights) ** 2 / np.sum(np.square(weights)))


@house_style
def plot_weights(true_log, estimated):
    """Estimated against true log weights, and the sorted weights' share of the total."""
    import matplotlib.pyplot as plt

    figure, (left, right) = plt.subplots(1, 2, figsize=(8.5, 3.2))
    left.plot(true_log, np.log(estimated), ".", markersize=2)
    left.axline((0, 0), slope=1, color="C1", linestyle="--", label="equal")
    left.set(xlabel="true $\\log w$, up to a constant", ylabel="estimated $\\log w$")
    left.legend()
    order = np.sort(estimated)[::-1]
    right.plot(np.arange(1, len(order) + 1) / len(order), np.cumsum(order) / order.sum())
    right.set(xlabel="share of the images, heaviest first", ylabel="share of the weight")
    right.grid(True)
    return figure


# %%
if __name__ == "__main__":
    source, visible, hidden = winter_and_summer(images, seed=0)
    fine = features(images)
    estimated = importance_weights(fine[source], fine[visible], STEPS[scale()])
    true_log = STRENGTH * brightness(images)[source]
    report(
        winter_images=len(source),
        log_weight_correlation=np.corrcoef(np.log(estimated), true_log)[0, 1],
        effective_size=effective_size(estimated),
        effective_size_true=effective_size(np.exp(true_log)),
    )

# %%
if __name__ == "__main__":
    plot_weights(true_log, estimated)

# %% [markdown]
# The domain classifier never saw the rule by which we divided the images, and yet its logarithmic weights have a
# correlation of 0.98<!--lesson.log_weight_correlation--> with the true ones. The price is plain too: of
# 3,553<!--lesson.winter_images--> winter images, weighted like this, an effective 442<!--lesson.effective_size-->
# remain.
#
# Now we train on winter, with and without weights, and measure on the hidden half of summer. We do it for two
# models. The *fine* one sees 49 features. The *crude* one sees only four, the mean brightness of the quarters of
# the image. All numbers are means over three divisions into seasons.


# %%
def compare_seasons(images, labels, seed, steps):
    """Losses on summer of models trained in winter, plain and weighted, and in summer itself; by name."""
    source, visible, hidden = winter_and_summer(images, seed)
    fine, crude = features(images), features(images, 14)
    estimated = importance_weights(fine[source], fine[visible], steps)

    def losses(X):
        """Trained in winter, in winter with weights, in summer."""
        rivals = (
            fit(X[source], labels[source], steps=steps),
            fit(X[source], labels[source], estimated, steps=steps),
            fit(X[visible], labels[visible], steps=steps),
        )
        return [mean_loss(model, X[hidden], labels[hidden]) for model in rivals]

    (crude_plain, crude_weighted, crude_ideal), (plain, weighted, ideal) = losses(crude), losses(fine)
    return {
        "crude_loss_plain": crude_plain,
        "crude_loss_weighted": crude_weighted,
        "crude_loss_ideal": crude_ideal,
        "fine_loss_plain": plain,
        "fine_loss_weighted": weighted,
        "fine_loss_ideal": ideal,
    }


def mean_over_seeds(experiment, *arguments):
    """Means of the numbers that `experiment(*arguments, seed, steps)` returns, over the seeds of the scale."""
    runs = [experiment(*arguments, seed, STEPS[scale()]) for seed in range(SEEDS[scale()])]
    return {name: float(np.mean([run[name] for run in runs])) for name in runs[0]}


# %%
if __name__ == "__main__":
    seasons = mean_over_seeds(compare_seasons, images, labels)
    report(**seasons)
    report(gain_by_weights=seasons["crude_loss_plain"] - seasons["crude_loss_weighted"])

# %% [markdown]
# For the crude model the weights do what they should: the loss on summer falls from
# 1.370<!--lesson.crude_loss_plain--> to 1.337<!--lesson.crude_loss_weighted-->, most of the way to the
# 1.324<!--lesson.crude_loss_ideal--> of a model that was trained on labelled summer images. Four numbers cannot
# describe ten classes well everywhere. The model has to choose where it wants to be good, and the weights tell it
# where.
#
# For the fine model they do *harm*: from 0.657<!--lesson.fine_loss_plain--> to
# 0.672<!--lesson.fine_loss_weighted-->. It is flexible enough to be good in winter and in summer at the same time,
# so there is nothing to choose, and the weights merely throw away, in effect, seven of eight examples. This is a
# general rule (Shimodaira, 2000): under covariate shift a model that contains the true $p(y \mid x)$ is best fitted
# without weights, and one that does not, with them. For large networks, which can fit every training image, weights
# have hardly any effect on the final answer (Byrd and Lipton, 2019).
#
# There is a use that does not depend on the model: *measuring* (Sugiyama, Krauledat and Müller, 2007). We want to know
# how good the winter model is in summer, without labels from summer. Held out winter images, weighted, should tell.


# %%
def forecast_accuracy(images, labels, seed, steps):
    """Accuracy of the fine model on held-out winter images, the weighted forecast for summer, and the truth."""
    source, visible, hidden = winter_and_summer(images, seed)
    X = features(images)
    train, held_out = source[::2], source[1::2]
    model = fit(X[train], labels[train], steps=steps)
    weights = importance_weights(X[held_out], X[visible], steps)
    right = probabilities(model, X[held_out]).argmax(axis=1) == labels[held_out]
    return {
        "accuracy_winter": np.mean(right),
        "accuracy_forecast": np.average(right, weights=weights),
        "accuracy_summer": mean_accuracy(model, X[hidden], labels[hidden]),
    }


# %%
if __name__ == "__main__":
    report(**mean_over_seeds(forecast_accuracy, images, labels))

# %% [markdown]
# On winter images the model is right for 0.827<!--lesson.accuracy_winter--> of them; for summer the weights
# forecast 0.761<!--lesson.accuracy_forecast-->, and the truth was 0.765<!--lesson.accuracy_summer-->. The forecast
# noticed the loss that the plain validation accuracy hides.
#
# ## More sandals, fewer boots
#
# For label shift we draw the target class by class, with the shares of a summer: many t-shirts, dresses and
# sandals, hardly a coat or a boot. The source has all classes equally often. 3,000 images are for training, 2,000
# for the confusion matrix.


# %%
SUMMER = dict(zip(FASHION_MNIST_LABELS, (0.25, 0.05, 0.02, 0.20, 0.02, 0.22, 0.03, 0.14, 0.05, 0.02), strict=True))


def draw_by_class(labels, candidates, shares, count):
    """Indices from `candidates` such that class j makes up `shares[j]` of about `count`."""
    of_class = [candidates[labels[candidates] == j][: round(count * share)] for j, share in enumerate(shares)]
    return np.concatenate(of_class)


def label_shift_split(labels, seed, count=800):
    """Indices for training (3000), for the confusion matrix (2000) and of a target with the shares of a summer."""
    order = random.permutation(len(labels), "shift", "labels", seed)
    return order[:3000], order[3000:5000], draw_by_class(labels, order[5000:], SUMMER.values(), count)


def confusion_matrix(predicted, labels, k=10):
    """Joint shares C (k, k): entry (i, j) of examples of class j that were called i."""
    rows, columns = xp.asarray(np.eye(k)[predicted]), xp.asarray(np.eye(k)[labels])  # (n, k) each
    return xp.matmul(xp.matrix_transpose(rows), columns) / len(labels)  # (k, n) @ (n, k) -> (k, k)


def shares_of(labels, k=10):
    """Shares (k,) of the classes, on the host."""
    return np.bincount(labels, minlength=k) / len(labels)


def shares_by_inversion(confusion, answers):
    """Shares (k,) of the classes in the target from C (k, k) and the shares of the answers there (k,)."""
    weights = xp.to_numpy(xp.linalg.solve(confusion, xp.asarray(answers)))  # (k,)
    shares = np.clip(weights * xp.to_numpy(xp.sum(confusion, axis=0)), 0, None)  # (k,)
    return shares / shares.sum()


def shares_by_maximisation(target_probabilities, prior, rounds=100):
    """The shares (k,) by expectation maximisation from probabilities (n, k), and the log-likelihood of each round."""
    p, q, course = xp.asarray(target_probabilities), xp.asarray(prior), []
    for _ in range(rounds):
        joint = p * (q / xp.asarray(prior))  # (n, k)
        total = xp.sum(joint, axis=1, keepdims=True)  # (n, 1)
        course.append(float(xp.to_numpy(xp.sum(xp.log(total)))))
        q = xp.mean(joint / total, axis=0)  # (k,)
    return xp.to_numpy(q), course


def corrected(target_probabilities, shares, prior):
    """Probabilities (n, k) under the new shares."""
    joint = target_probabilities * (shares / prior)
    return joint / joint.sum(axis=1, keepdims=True)


# %%
def estimate_shares(images, labels, seed, steps, target_images=None):
    """Everything about one label shift: shares by three methods, the truth, and the target's probabilities."""
    train, check, target = label_shift_split(labels, seed)
    X = features(images)
    model = fit(X[train], labels[train], steps=steps)
    p_check, prior = probabilities(model, X[check]), shares_of(labels[train])
    seen = X[target] if target_images is None else features(target_images[target])
    p_target = probabilities(model, seen)
    counted = shares_of(p_target.argmax(axis=1))
    confusion = confusion_matrix(p_check.argmax(axis=1), labels[check])
    return {
        "true": shares_of(labels[target]),
        "counted": counted,
        "inversion": shares_by_inversion(confusion, counted),
        "maximisation": shares_by_maximisation(p_target, prior)[0],
        "prior": prior,
        "probabilities": p_target,
        "labels": labels[target],
    }


def compare_shares(images, labels, seed, steps):
    """Distances of the estimated shares from the truth, and accuracies before and after the correction."""
    found = estimate_shares(images, labels, seed, steps)
    p, y, prior = found["probabilities"], found["labels"], found["prior"]
    right = {
        name: np.mean(corrected(p, found[name], prior).argmax(axis=1) == y)
        for name in ("prior", "inversion", "maximisation", "true")
    }
    distance = {name: np.abs(found[name] - found["true"]).sum() for name in ("counted", "inversion", "maximisation")}
    return {
        "counted_gap": distance["counted"],
        "inversion_gap": distance["inversion"],
        "em_gap": distance["maximisation"],
        "accuracy_before": right["prior"],
        "accuracy_inversion": right["inversion"],
        "accuracy_corrected": right["maximisation"],
        "accuracy_true_shares": right["true"],
    }


@house_style
def plot_shares(found):
    """Shares of the classes in the target: true, counted and estimated."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(8.5, 3.2))
    place = np.arange(10)
    axes.bar(place, found["true"], width=0.8, color="C0", alpha=0.3, label="true")
    for name, marker, shift in (("counted", "x", -0.2), ("inversion", "o", 0.0), ("maximisation", "^", 0.2)):
        axes.plot(place + shift, found[name], linestyle="none", marker=marker, clip_on=False, label=name)
    axes.axhline(0.1, linestyle=":", color="C3", label="source")
    axes.set_xticks(place, FASHION_MNIST_LABELS, rotation=30, ha="right")
    axes.set(ylabel="share")
    axes.legend(ncols=3)
    return figure


# %%
if __name__ == "__main__":
    shares = mean_over_seeds(compare_shares, images, labels)
    report(**shares)
    report(
        gain_by_shares=shares["accuracy_corrected"] - shares["accuracy_before"],
        better_than_counted=shares["counted_gap"] / shares["em_gap"],
    )

# %%
if __name__ == "__main__":
    plot_shares(estimate_shares(images, labels, 2, STEPS[scale()]))

# %% [markdown]
# Counting the answers of the model gives shares whose absolute errors add up to 0.123<!--lesson.counted_gap-->: the
# model takes too many t-shirts for shirts, as it was taught that both are equally frequent. Inverting the confusion
# matrix leaves an error of 0.092<!--lesson.inversion_gap-->, expectation maximisation 0.069<!--lesson.em_gap-->.
# Part of what is left is chance: each column of the confusion matrix was counted on some 200 images, and the
# answers on 800.
#
# Then we put the shares into Bayes' rule and look at the same probabilities again. The accuracy rises from
# 0.838<!--lesson.accuracy_before--> to 0.866<!--lesson.accuracy_corrected--> (0.865<!--lesson.accuracy_inversion-->
# with inversion), and the true shares would have brought 0.870<!--lesson.accuracy_true_shares-->. No weight of the
# model has changed and no new label was used.
#
# ## What goes wrong
#
# **No overlap.** In May a new lamp was put up, and since then every photograph has half of its former brightness.
# For a person nothing has changed. Which kind of shift is this? The rule $p(y \mid x)$ may be the same, so one
# might call it covariate shift, and weigh.


# %%
def held_out_domain_accuracy(source, target, steps=150):
    """How often a domain classifier, fitted on every other example, is right on the rest."""
    heap = np.concatenate([source, target])
    z = np.repeat([0, 1], [len(source), len(target)])
    return mean_accuracy(fit(heap[::2], z[::2], num_classes=2, steps=steps), heap[1::2], z[1::2])


def under_new_lamp(images, labels, seed, steps, dimmed=0.5):
    """Weights, shares and accuracy when the target is darker than anything in the source."""
    source, target = np.array_split(random.permutation(len(labels), "shift", "lamp", seed), 2)
    X, darker = features(images), features(dimmed * images)
    model = fit(X[source], labels[source], steps=steps)
    shares = estimate_shares(images, labels, seed, steps, target_images=dimmed * images)
    return {
        "domain_accuracy_dimmed": held_out_domain_accuracy(X[source], darker[target], steps),
        "effective_size_dimmed": effective_size(importance_weights(X[source], darker[target], steps)),
        "accuracy_as_it_was": mean_accuracy(model, X[target], labels[target]),
        "accuracy_dimmed": mean_accuracy(model, darker[target], labels[target]),
        "inversion_gap_dimmed": np.abs(shares["inversion"] - shares["true"]).sum(),
        "em_gap_dimmed": np.abs(shares["maximisation"] - shares["true"]).sum(),
    }


# %%
if __name__ == "__main__":
    lamp = mean_over_seeds(under_new_lamp, images, labels)
    report(**lamp)
    report(left_of_the_sample=lamp["effective_size_dimmed"] / (len(labels) // 2))

# %% [markdown]
# The domain classifier can tell the lamps apart in 0.87<!--lesson.domain_accuracy_dimmed--> of the cases, and that
# is the bad news: where the target lives there are hardly any source images. Of 3,500 an effective
# 32<!--lesson.effective_size_dimmed--> are left, too few to train or to measure anything. The condition "$p(x) > 0$
# wherever $q(x) > 0$" in the derivation was not a formality. The accuracy fell from
# 0.807<!--lesson.accuracy_as_it_was--> to 0.613<!--lesson.accuracy_dimmed-->, and the remedy lies outside
# statistics: divide each photograph by its own mean brightness.
#
# **The wrong kind.** Label shift *together* with the new lamp violates $q(x \mid y) = p(x \mid y)$. The formulas do
# not complain. The shares by inversion are now off by 0.45<!--lesson.inversion_gap_dimmed-->, those by expectation
# maximisation by 0.60<!--lesson.em_gap_dimmed-->, several times as much as before. The corrected answers would be
# corrected towards a wrong summer. A method for one kind of shift, applied to another, gives an answer all the
# same.
#
# **What cannot be seen.** At last the shop's decision to file pullovers as shirts. The photographs are what they
# were; only the right answers are not.


# %%
PULLOVER, SHIRT = (FASHION_MNIST_LABELS.index(name) for name in ("pullover", "shirt"))


def refiled(labels):
    """Labels after the decision: every pullover is a shirt."""
    return np.where(labels == PULLOVER, SHIRT, labels)


def after_refiling(images, labels, seed, steps):
    """What an observer without labels sees of a concept shift, and what it does to the accuracy."""
    source, target = np.array_split(random.permutation(len(labels), "shift", "concept", seed), 2)
    X = features(images)
    model = fit(X[source], labels[source], steps=steps)
    answers = [shares_of(probabilities(model, X[part]).argmax(axis=1)) for part in (source, target)]
    return {
        "domain_accuracy_refiled": held_out_domain_accuracy(X[source], X[target], steps),
        "drift_of_answers": np.abs(answers[1] - answers[0]).sum(),
        "accuracy_old_rule": mean_accuracy(model, X[target], labels[target]),
        "accuracy_new_rule": mean_accuracy(model, X[target], refiled(labels[target])),
    }


# %%
if __name__ == "__main__":
    report(**mean_over_seeds(after_refiling, images, labels))

# %% [markdown]
# The domain classifier is right in 0.50<!--lesson.domain_accuracy_refiled--> of the cases, like a coin, the shares
# of the answers are those of the source but for 0.05<!--lesson.drift_of_answers-->, and the accuracy has dropped
# from 0.804<!--lesson.accuracy_old_rule--> to 0.760<!--lesson.accuracy_new_rule-->. Without labels from the target
# this is invisible, for every quantity that we can compute from $x$ alone has the same distribution as before. A
# few labels suffice, though, by the reckoning of [generalisation in
# classification](generalisation_in_classification.py). If somebody checks 100 pieces a week, about 20 wrong answers
# are normal and the standard deviation is $\sqrt{100 \cdot 0.2 \cdot 0.8} = 4$; the expected 24 stand out by one
# deviation in a single week, by two in a month and by more than three in a quarter.
#
# So the order of questions in practice is: can a domain classifier, on held-out examples, tell source from target
# (Lopez-Paz and Oquab, 2017)? If it is no better than a coin, look for concept shift with a small, steady stream of
# labels. If it is, ask what *caused* the difference, since no computation tells covariate from label shift for us. Does
# the label come first and bring about the image, as a kind of garment or a disease does? Then label shift is the
# natural assumption. Do the inputs come first, as when customers of another region are asked? Then covariate shift.
#
# ## Under the surface
#
# Every framework lets one weigh examples, and they disagree on the divisor. PyTorch's `cross_entropy` with
# `weight=` divides the sum by the weights of the labels in the batch, so constant weights of two change nothing.
# Keras' `sample_weight` and `class_weight` by default divide by the *number* of examples, so weights of two double
# the gradient. Gluon's losses multiply and leave the mean over the batch to `Trainer.step`; Optax returns a vector
# and leaves everything to its user. Weights whose mean is not one therefore change the learning rate in one
# framework and not in the other. Our loss divides by the sum of the weights. In a minibatch that has a cost of its
# own: a ratio of two random sums is no longer right on average, which is why the experiments above use the full
# batch, and why in minibatches one rather scales the weights to mean one beforehand and divides by the batch size.
#
# The exponential of a domain logit is a number without bounds, and float32 ends at $e^{88.7}$. With separable
# domains and a network in place of our linear classifier such logits do occur; exercise 1 computes the effective
# sample size without leaving the logarithm.
#
# ## Summary
#
# A joint distribution can change in $p(x)$, in $p(y)$ or in $p(y \mid x)$. Under covariate shift, weights
# $q(x)/p(x)$ from a domain classifier turn source means into target means, at the price of a smaller effective
# sample; they help models that are too simple, and they forecast the accuracy of any model. Under label shift the
# shares of the classes follow from the confusion matrix or by expectation maximisation, and Bayes' rule corrects
# the answers without training. Both fail silently where their assumption does not hold, the first also where the
# domains do not overlap. Concept shift shows in labels only.
#
# ## Exercises
#
# Solutions are in `distribution_shift_solutions.py`. Exercises with a star are checked by a program: `d2l exercise
# distribution-shift` writes a stub to fill in, `d2l check FILE` examines it on every installed backend.
#
# 1. ★ *Without leaving the logarithm.* Write `effective_size_from_logs(log_weights)`, the effective sample size
#    from the logarithms $(n,)$ of the weights, which may be 1,000 or $-1{,}000$, as a 0-d tensor.
# 2. ★ *Soft confusion.* Hard answers throw information away. Write `soft_label_weights(source_probabilities,
#    source_labels, target_probabilities)`, which solves $\boldsymbol\mu = \mathbf{C}\mathbf{w}$ with mean
#    probabilities in place of counted answers: $C_{ij}$ is the mean over the source of $p(i \mid x)\,[y = j]$ and
#    $\mu_i$ the mean over the target of $p(i \mid x)$. Is it closer to the truth than inversion on our summer?
# 3. *Clipped weights.* Limit the weights of the fine model to at most $c$ times their mean, for $c$ = 1, 3, 10 and
#    without limit. What happens to the effective sample size and to the loss on summer?
# 4. *A test by the clinic.* A test finds 90 per cent of the ill and clears 95 per cent of the healthy. In a new
#    town 12 per cent of the tests are positive. How many people are ill, and how many of the positives? Write down
#    $\mathbf{C}\mathbf{w} = \boldsymbol\mu$ for the shares $q$.
# 5. *Why each round helps.* Show that a round of expectation maximisation cannot lower the likelihood. (Jensen's
#    inequality, applied to the logarithm of a sum that is written as a mean under $r_j$.)
# 6. *Each photograph for itself.* Divide each image by its own mean brightness before pooling. What remains of the
#    damage by the new lamp, and what does it cost when the lamp has not changed?
#
# ## References
#
# - L. Kish (1965), *Survey Sampling*, Wiley, with the effective sample size.
# - H. Shimodaira (2000), *Improving Predictive Inference under Covariate Shift by Weighting the Log-Likelihood
#   Function*, Journal of Statistical Planning and Inference 90.
# - M. Saerens, P. Latinne and C. Decaestecker (2002), *Adjusting the Outputs of a Classifier to New a Priori
#   Probabilities: A Simple Procedure*, Neural Computation 14.
# - M. Sugiyama, M. Krauledat and K.-R. Müller (2007), *Covariate Shift Adaptation by Importance Weighted Cross
#   Validation*, Journal of Machine Learning Research 8.
# - D. Lopez-Paz and M. Oquab (2017), *Revisiting Classifier Two-Sample Tests*, ICLR.
# - Z. C. Lipton, Y.-X. Wang and A. J. Smola (2018), *Detecting and Correcting for Label Shift with Black Box
#   Predictors*, ICML.
# - J. Byrd and Z. C. Lipton (2019), *What Is the Effect of Importance Weighting in Deep Learning?*, ICML.
