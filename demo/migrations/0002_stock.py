from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("demo", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="DemoStock",
            fields=[
                (
                    "product_id",
                    models.CharField(max_length=255, primary_key=True, serialize=False),
                ),
                ("left", models.PositiveIntegerField()),
            ],
            options={
                "db_table": "demo_stock",
                "ordering": ("product_id",),
            },
        ),
    ]
