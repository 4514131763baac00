"""The operator: kopf triggers around a pure planner.

Gather facts (``controller.observe``), decide in pure code (``planner``), apply actions (``controller.execute``).
"""
