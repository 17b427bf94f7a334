"""How many people a study needs, how likely it is to find an effect, and the smallest effect it can find.

Power comes from statsmodels; what no kept library of Python has (design effects, negative binomial rates, difference-in-differences on counts) is a line of its own with its source.
`people` are those who start in the scheme's arm, before anybody is lost. All tests are two-sided.
"""

import math
from dataclasses import dataclass, replace

import numpy as np
from scipy.stats import chi2, norm
from scipy.stats import t as student
from statsmodels.stats.power import NormalIndPower, TTestIndPower, TTestPower
from statsmodels.stats.proportion import proportion_effectsize

from sprx.errors import DataError

DESIGNS = ("before_after", "concurrent", "matched", "cluster_randomised", "randomised")
MOST = 10_000_000           # people; a plan that needs more needs another plan
FEWEST = 3                  # measured in an arm, below which nothing is tested
GRID = (np.arange(1000) + 0.5) / 1000


@dataclass(frozen=True)
class ScoreStudy:
    """A plan whose outcome is a score.

    Attributes
    ----------
    design : str
        One of DESIGNS.
    effect, sd : float
        Difference to be found and spread between people, in the same unit. Of `before_after`, effect is what comes on top of `natural`.
    correlation : float
        Between the first and the later score of the same person.
    follow_up : float
        Share of people measured again, in both arms.
    ratio : float
        People in the comparison for each one in the scheme.
    entangled : float
        Share of the variation in who is in the scheme that the covariates explain (matched, concurrent).
    cluster_size, cluster_cv, icc : float
        People in a place, how much that varies (SD over mean), and how alike people of a place are (cluster_randomised).
    natural, unsure : float
        Change towards better expected with no help at all, and how much larger that may be (before_after); the test is against natural + unsure.

    Raises
    ------
    DataError
        If a number cannot be what it says.

    References
    ----------
    ANCOVA: variance x (1 - r2), Borm, Fransen and Lemmens (2007) J Clin Epidemiol 60:1234. Covariates that go with the arm: variance / (1 - R2), Hsieh, Bloch and Larsen (1998) Stat Med 17:1623.
    Clusters: Eldridge, Ashby and Kerry (2006) Int J Epidemiol 35:1292; t with 2 (clusters - 1) degrees of freedom, Donner and Klar (2000). Regression to the mean: Barnett, van der Pols and Dobson (2005) Int J Epidemiol 34:215.
    """

    design: str
    effect: float
    sd: float = 1.0
    correlation: float = 0.5
    follow_up: float = 1.0
    ratio: float = 1.0
    entangled: float = 0.0
    cluster_size: float = 20.0
    cluster_cv: float = 0.0
    icc: float = 0.05
    natural: float = 0.0
    unsure: float = 0.0
    wanted: float = 0.8
    conf_level: float = 0.95

    def __post_init__(self):
        if self.design not in DESIGNS:
            raise DataError(f"There is no design {self.design!r}. Choose one of: {', '.join(DESIGNS)}.")
        _check(self)
        if not self.sd > 0 or not math.isfinite(self.sd):
            raise DataError(f"The spread between people (SD) must be above 0; found {self.sd:g}. Give the standard deviation of the score among people like yours.")
        if not -1 < self.correlation < 1:
            raise DataError(f"The correlation of first and later score lies between -1 and 1; found {self.correlation:g}.")
        for name, words in (("icc", "The likeness of people in one place (ICC)"), ("entangled", "The share of who is in the scheme that covariates explain")):
            if not 0 <= getattr(self, name) < 1:
                raise DataError(f"{words} lies from 0 to below 1; found {getattr(self, name):g}.")
        if not self.cluster_size >= 1 or not self.cluster_cv >= 0:
            raise DataError(f"A place has at least 1 person and its size cannot vary by less than 0; found {self.cluster_size:g} people, variation {self.cluster_cv:g}.")
        if not self.unsure >= 0:
            raise DataError(f"How much larger the natural change may be cannot be below 0; found {self.unsure:g}.")

    @property
    def unit(self):
        """People are added by this many at a time: a whole place, or one."""
        return self.cluster_size if self.design == "cluster_randomised" else 1

    def std_error(self, people):
        """Standard error of the answer with so many people in the scheme's arm."""
        measured = people * self.follow_up
        if self.design == "before_after":
            return self.sd * math.sqrt(2 * (1 - self.correlation) / measured)
        return self._spread() * math.sqrt((1 + 1 / self.ratio) / measured)

    def _spread(self):
        """The SD that a t test of two arms sees, when all that makes it larger or smaller is taken into account."""
        spread = self.sd * math.sqrt((1 - self.correlation ** 2) / (1 - self.entangled * (self.design in ("matched", "concurrent"))))
        if self.design == "cluster_randomised":
            spread *= math.sqrt(max(design_effect(self.cluster_size * self.follow_up, self.icc, self.cluster_cv), 1e-9))
        return spread

    def power(self, people):
        """Chance to find the effect beyond chance with so many people in the scheme's arm."""
        measured, alpha = _measured(self, people), 1 - self.conf_level
        if measured < FEWEST:
            return 0.0
        if self.design == "before_after":
            beyond = abs(self.effect) - self.unsure
            shift = beyond / (self.sd * math.sqrt(2 * (1 - self.correlation)))
            return 0.0 if beyond <= 0 else _known(TTestPower().power(shift, measured, alpha), shift * math.sqrt(measured), measured - 1, alpha)
        if self.design == "cluster_randomised":
            places = people / self.cluster_size
            df = (1 + self.ratio) * places - 2
        else:
            df = (1 + self.ratio) * measured - 3
        if df < 1:
            return 0.0
        found = TTestIndPower().power(abs(self.effect) / self._spread(), measured, alpha, self.ratio, df=df)
        return _known(found, abs(self.effect) / self.std_error(people), df, alpha)

    def with_effect(self, effect):
        """The same plan for another effect."""
        return replace(self, effect=effect)


@dataclass(frozen=True)
class CountStudy:
    """A plan whose outcome is a count, such as GP appointments, before and after in two arms (difference-in-differences), or after only.

    Attributes
    ----------
    effect : float
        Ratio of rates to be found; 0.85 is 15% fewer.
    rate : float
        Events a person and month, without the scheme.
    months_before, months_after : float
        Months in which events are counted; months_before 0: the arms are compared after the start only.
    dispersion : float
        How much people's own rates differ: variance of a count = mean + dispersion x mean squared (0: Poisson).
    correlation : float
        Between a person's own rates before and after.

    References
    ----------
    After only: Zhu and Lakkis (2014) Stat Med 33:376, method 2. Before and after: the delta method on overdispersed counts, for the log of a ratio of ratios.
    """

    effect: float
    rate: float
    months_before: float = 6.0
    months_after: float = 6.0
    dispersion: float = 1.0
    correlation: float = 0.7
    follow_up: float = 1.0
    ratio: float = 1.0
    wanted: float = 0.8
    conf_level: float = 0.95
    unit = 1

    def __post_init__(self):
        _check(self)
        if not self.effect > 0:
            raise DataError(f"A ratio of rates is above 0 (0.85 is 15% fewer, 1 no difference); found {self.effect:g}.")
        if not (self.rate > 0 and self.months_after > 0 and self.months_before >= 0 and self.dispersion >= 0):
            raise DataError(f"Events a month and months after the start must be above 0, months before it and dispersion 0 or more; found {self.rate:g}, {self.months_after:g}, "
                            f"{self.months_before:g} and {self.dispersion:g}.")
        if not 0 <= self.correlation <= 1:
            raise DataError(f"The correlation of a person's rates before and after lies from 0 to 1; found {self.correlation:g}.")

    def _variance(self, ratio):
        """Variance of one person's part of the log rate, or of the log of after over before."""
        after = 1 / (self.rate * self.months_after * ratio) + self.dispersion
        if not self.months_before:
            return after
        return after + 1 / (self.rate * self.months_before) + self.dispersion - 2 * self.correlation * self.dispersion

    def std_error(self, people):
        """Standard error of the log of the ratio."""
        measured = people * self.follow_up
        return math.sqrt((self._variance(self.effect) + self._variance(1.0) / self.ratio) / measured)

    def power(self, people):
        """Chance to find the ratio beyond chance with so many people in the scheme's arm."""
        if _measured(self, people) < FEWEST:
            return 0.0
        return normal_power(math.log(self.effect) / self.std_error(people), self.conf_level)

    def with_effect(self, effect):
        """The same plan for another ratio."""
        return replace(self, effect=effect)


@dataclass(frozen=True)
class ShareStudy:
    """A plan whose outcome is yes or no, in two arms: `effect` is the difference of shares, `share` that of the comparison.

    References
    ----------
    Arcsine transformation (Cohen 1988, chapter 6), by statsmodels' NormalIndPower.
    """

    effect: float
    share: float
    follow_up: float = 1.0
    ratio: float = 1.0
    wanted: float = 0.8
    conf_level: float = 0.95
    unit = 1

    def __post_init__(self):
        _check(self)
        if not (0 < self.share < 1 and 0 <= self.share + self.effect <= 1):
            raise DataError(f"Shares lie between 0 and 1; found {self.share:g} in the comparison and {self.share + self.effect:g} with the scheme. 30% is 0.3.")

    def power(self, people):
        """Chance to find the difference beyond chance with so many people in the scheme's arm."""
        measured = _measured(self, people)
        if measured < FEWEST:
            return 0.0
        return float(NormalIndPower().power(proportion_effectsize(self.share + self.effect, self.share), measured, 1 - self.conf_level, self.ratio))

    def with_effect(self, effect):
        """The same plan for another difference."""
        return replace(self, effect=effect)


def _check(study):
    """Refuse what every kind of plan refuses."""
    share(study.follow_up, "The share of people measured again")
    for name, words in (("wanted", "The chance of finding the effect (power)"), ("conf_level", "The coverage of intervals")):
        if not 0 < getattr(study, name) < 1:
            raise DataError(f"{words} lies between 0 and 1; found {getattr(study, name):g}. {'80% is 0.8.' if name == 'wanted' else '95% is 0.95.'}")
    if not (study.ratio > 0 and math.isfinite(study.ratio)):
        raise DataError(f"People in the comparison for each one in the scheme must be above 0; found {study.ratio:g}.")
    if not math.isfinite(study.effect):
        raise DataError(f"The effect must be a number; found {study.effect}.")


def share(value, words):
    """The value if it is a share above 0 and up to 1, else DataError that knows per cent when it sees it."""
    if not (math.isfinite(value) and 0 < value <= 1):
        hint = f" Did you mean {value / 100:g}? {value:g}% is {value / 100:g}." if 2 <= value <= 100 else " More than everybody cannot be." if value > 1 else ""
        raise DataError(f"{words} lies above 0 and up to 1; found {value:g}.{hint}")
    return value


def kept(dropout):
    """The share measured again, from the share lost.

    Raises
    ------
    DataError
        If nobody or less than nobody is left, or dropout was typed as per cent.
    """
    if not (math.isfinite(dropout) and 0 <= dropout < 1):
        hint = f" Did you mean {dropout / 100:g}? {dropout:g}% is {dropout / 100:g}." if 2 <= dropout < 100 else " With everybody lost, or more, nothing can be learnt." if dropout >= 1 else ""
        raise DataError(f"The share of people lost (dropout) lies from 0 to below 1; found {dropout:g}.{hint}")
    return 1 - dropout


def _measured(study, people):
    if not (math.isfinite(people) and people > 0):
        raise DataError(f"A study needs people: more than 0 in the scheme; found {people:g}.")
    return people * study.follow_up


def design_effect(size, icc, cv=0.0):
    """How many times larger the variance is when whole places are drawn: 1 + ((cv2 + 1) size - 1) ICC (Eldridge, Ashby and Kerry 2006)."""
    return 1 + ((cv ** 2 + 1) * size - 1) * icc


def _known(power, shift, df, alpha):
    """The power, worked out by the mean over the spread's own distribution where scipy's noncentral t gives no number (large shifts, few places)."""
    if math.isfinite(power):
        return float(power)
    limit = student.ppf(1 - alpha / 2, df) * np.sqrt(chi2.ppf(GRID, df) / df)
    return float(norm.sf(limit - shift).mean() + norm.cdf(-limit - shift).mean())


def normal_power(shift, conf_level):
    """Power of a two-sided normal test whose statistic has this mean."""
    limit = norm.ppf((1 + conf_level) / 2)
    return float(norm.sf(limit - abs(shift)) + norm.cdf(-limit - abs(shift)))


def people_needed(study):
    """The smallest number of people in the scheme's arm, before anybody is lost, that reaches the wanted power.

    Parameters
    ----------
    study : ScoreStudy, CountStudy or ShareStudy

    Returns
    -------
    float
        Whole people, in whole places where places are drawn; infinite where ten million would not do.
    """
    step = study.unit
    per = step if step > 1 or getattr(study, "design", "") == "cluster_randomised" else 1 / study.follow_up      # one more measured person, or one more place

    def enough(k):
        return study.power(k * per) >= study.wanted

    high = 2
    while not enough(high):
        high *= 2
        if high * per > MOST:
            return math.inf
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return float(math.ceil(high * per - 1e-9))


def smallest_effect(study, people):
    """The smallest effect, better than none, that would be found with the wanted power; its sign is that of the plan's effect.

    Returns
    -------
    float
        In the unit of the plan's effect; for counts a ratio below 1 (above 1 where the plan's is). Missing where no effect would be found.
    """
    if isinstance(study, CountStudy):
        sign = -1 if study.effect <= 1 else 1
        found = _root(lambda log: study.with_effect(math.exp(sign * log)).power(people) - study.wanted, 15.0)
        return math.exp(sign * found)
    if isinstance(study, ShareStudy):
        sign = -1 if study.effect < 0 else 1
        room = study.share if sign < 0 else 1 - study.share
        return sign * _root(lambda d: study.with_effect(sign * d).power(people) - study.wanted, room * (1 - 1e-9))
    sign = -1 if study.effect < 0 else 1
    return sign * _root(lambda d: study.with_effect(d).power(people) - study.wanted, 100 * study.sd + study.unsure)


def _root(gap, highest):
    """Where a function that rises from 0 on first crosses 0, or missing."""
    from scipy.optimize import brentq

    low = 0.0
    for high in np.geomspace(highest * 1e-5, highest, 80):
        if gap(high) > 0:
            return brentq(gap, max(low, high * 1e-6), high, xtol=1e-10)
        low = high
    return math.nan
