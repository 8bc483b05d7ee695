# /// lesson
# name = "linear-regression"
# title = "Linear regression"
# sections = ["3.4", "3.5"]
# needs = []
# data = ["synthetic", "airfoil"]
# main = "concise"
# [time]
# smoke = "1 s"
# standard = "2 s"
# full = "2 s"
# [promises]
# full = ["scratch: val_loss <= 0.0153", "concise: val_loss <= 0.0153"]
# ///

# %% [markdown]
# # Linear regression

# %%
from d2l_core import nn, optim, xp
from d2l_core.data import Loader
from d2l_core.data.synthetic import linear_data
from d2l_core.lessons import Job
from d2l_core.nn.functional import squared_error
from d2l_core.training import Data


# %%
class LinearRegressionScratch(nn.Module):
    def __init__(self, num_inputs, sigma=0.01):
        super().__init__()
        self.w = nn.Parameter((num_inputs, 1), nn.initialisers.Normal(sigma))
        self.b = nn.Parameter((1,), nn.initialisers.Constant(0.0))

    def forward(self, X):
        return xp.matmul(X, self.w) + self.b  # (n, d) @ (d, 1) -> (n, 1)


# %%
def synthetic(scale, seed):
    X, y = linear_data([2.0, -3.4], 4.2, 2000, seed=seed)
    train = Loader((X[:1000], y[:1000]), 32, shuffle=True, stream=(seed, "shuffle"))
    return Data(train, Loader((X[1000:], y[1000:]), 1000))


epochs = {"smoke": 1, "standard": 3, "full": 3}
shared = {"data": synthetic, "loss": squared_error, "optimiser": lambda m: optim.SGD(m, lr=0.03), "epochs": epochs}
jobs = {
    "scratch": Job(model=lambda: LinearRegressionScratch(2), **shared),
    "concise": Job(model=lambda: nn.Linear(1), **shared),
}

# %%
if __name__ == "__main__":
    run = jobs["scratch"].run()
    run.history.plot()
