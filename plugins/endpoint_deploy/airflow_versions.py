"""What Airflow 3.1, 3.2 and 3.3 have in different places: imported from here by whatever needs it.

In a branch for a type checker stands 3.3, whose names the others are given.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.sdk import (
        AssetOrTimeSchedule,
        CronTriggerTimetable,
        MultipleCronTriggerTimetable,
    )
    from airflow.sdk.configuration import conf
    from airflow.sdk.exceptions import (
        AirflowFailException,
        AirflowSensorTimeout,
        AirflowSkipException,
        DownstreamTasksSkipped,
        TaskAwaitingInput,
        TaskDeferralTimeout,
    )
    from airflow.sdk.observability import stats
else:
    try:
        from airflow.sdk import (
            AssetOrTimeSchedule,
            CronTriggerTimetable,
            MultipleCronTriggerTimetable,
        )
        from airflow.sdk.configuration import conf
        from airflow.sdk.exceptions import (
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
            DownstreamTasksSkipped,
            TaskDeferralTimeout,
            TaskDeferred,
        )
    except ImportError:  # 3.1
        from airflow.configuration import conf
        from airflow.exceptions import (
            AirflowFailException,
            AirflowSensorTimeout,
            AirflowSkipException,
            DownstreamTasksSkipped,
            TaskDeferralTimeout,
            TaskDeferred,
        )
        from airflow.timetables.assets import AssetOrTimeSchedule
        from airflow.timetables.trigger import CronTriggerTimetable, MultipleCronTriggerTimetable

    try:
        from airflow.sdk.observability import stats

        _ = stats.incr
    except ImportError:  # 3.1
        from airflow.stats import Stats as stats  # noqa: N813 - a module of functions by now
    except AttributeError:  # 3.2
        from airflow.sdk.observability.stats import Stats as stats  # noqa: N813 - as above

    try:
        from airflow.sdk.exceptions import TaskAwaitingInput
    except ImportError:  # Until 3.2 a task that asks a person is deferred, as any other that waits.
        TaskAwaitingInput = TaskDeferred

__all__ = [
    "AirflowFailException",
    "AirflowSensorTimeout",
    "AirflowSkipException",
    "AssetOrTimeSchedule",
    "CronTriggerTimetable",
    "DownstreamTasksSkipped",
    "MultipleCronTriggerTimetable",
    "TaskAwaitingInput",
    "TaskDeferralTimeout",
    "conf",
    "stats",
]
