(** * Where every rank computes on padding

    In every step each worker executes as much as the fullest one, so that its utilisation is 1.
    [c] is the overhead of a step in units of load; the power law is any function.

    Claim: [energy.padding]. *)

From Coq Require Import Reals Lra List.
From evenkeel Require Import PowerLaw Energy Saving.
Import ListNotations.
Open Scope R_scope.

(** The loads that are executed. *)
Definition padded (r : run) : run := map (fun loads => map (fun _ => top loads) loads) r.

Definition energy_at (p : R -> R) (c : R) (r : run) : R :=
  over (fun x => fst x * p (snd x)) (cells c r).

(** On [n] workers in every step, some load in each. *)
Definition on_workers (n : nat) (r : run) : Prop :=
  Forall (fun loads => length loads = n /\ 0 < top loads) r.

(** The length of a run, in units of load: the sum of [c + M] over its steps. *)
Definition span (c : R) (r : run) : R := sum (map (fun loads => c + top loads) r).

Lemma top_of_padded : forall loads, 0 < top loads ->
  top (map (fun _ => top loads) loads) = top loads.
Proof.
  intros loads P. assert (N : loads <> []) by (intros ->; simpl in P; lra).
  revert P N. generalize (top loads) as m. intros m P N.
  induction loads as [|x xs IH]; [congruence|]. simpl. destruct xs as [|y ys].
  - simpl. apply Rmax_left. lra.
  - rewrite IH by congruence. apply Rmax_left. lra.
Qed.

Lemma padded_step : forall p c m (loads : list R), 0 < m ->
  over (fun x => fst x * p (snd x))
    (map (fun load => (c + m, load / m)) (map (fun _ => m) loads))
  = p 1 * (INR (length loads) * (c + m)).
Proof.
  intros p c m loads M. induction loads as [|x xs IH]; [unfold over; simpl; ring|].
  cbn [map length]. rewrite over_cons, IH, S_INR. cbn [fst snd].
  replace (m / m) with 1 by (field; lra). ring.
Qed.

Lemma padded_energy : forall p c n r, on_workers n r ->
  energy_at p c (padded r) = p 1 * (INR n * span c r).
Proof.
  intros p c n r H. unfold energy_at, padded, span, cells.
  induction H as [|loads rest [E P] H IH]; [unfold over; simpl; ring|].
  simpl. rewrite over_app, IH, top_of_padded, padded_step, E by exact P. ring.
Qed.

Lemma padded_work : forall n r, on_workers n r -> work (padded r) = INR n * span 0 r.
Proof.
  intros n r H. unfold work, padded, span. induction H as [|loads rest [E P] H IH]; [simpl; ring|].
  simpl. rewrite IH.
  replace (sum (map (fun _ => top loads) loads)) with (INR n * top loads); [ring|].
  rewrite <- E. generalize (top loads) as m. intros m. clear.
  induction loads as [|x xs IH]; [simpl; ring|].
  rewrite (S_INR (length xs) : INR (length (x :: xs)) = _).
  cbn [map]. unfold sum in *. simpl fold_right. rewrite <- IH. ring.
Qed.

Lemma span_is_work_and_imbalance : forall n r, on_workers n r ->
  INR n * span 0 r = work r + imbalances r.
Proof.
  intros n r H. unfold work, imbalances, span.
  induction H as [|loads rest [E P] H IH]; [simpl; ring|].
  simpl. rewrite Rmult_plus_distr_l, IH, E. ring.
Qed.

Lemma span_positive : forall c n r, 0 <= c -> r <> [] -> on_workers n r -> 0 < span c r.
Proof.
  intros c n r C N H. unfold span. destruct H as [|loads rest [E P] H]; [congruence|]. simpl.
  assert (0 <= sum (map (fun l => c + top l) rest)); [|lra].
  clear - C. induction rest as [|l ls IH]; simpl; [lra|]. pose proof (top_nonnegative l). lra.
Qed.

Lemma workers_positive : forall n r, r <> [] -> on_workers n r -> 0 < INR n.
Proof.
  intros n r N H. destruct H as [|loads rest [E P] H]; [congruence|]. apply lt_0_INR.
  rewrite <- E. destruct loads; [simpl in P; lra|]. simpl. apply PeanoNat.Nat.lt_0_succ.
Qed.

(** What is executed, what it draws, what balance saves of it, and that at equal work. *)
Theorem energy_padding : forall p c n r0 r1, 0 < p 1 -> 0 <= c -> r0 <> [] ->
  on_workers n r0 -> on_workers n r1 ->
  work (padded r0) = INR n * span 0 r0 /\ work (padded r0) = work r0 + imbalances r0 /\
  energy_at p c (padded r0) = p 1 * (INR n * span c r0) /\
  1 - energy_at p c (padded r1) / energy_at p c (padded r0) = (span c r0 - span c r1) / span c r0 /\
  (work r0 = work r1 ->
     1 - energy_at p 0 (padded r1) / energy_at p 0 (padded r0)
     = (imbalances r0 - imbalances r1) / (work r0 + imbalances r0)).
Proof.
  intros p c n r0 r1 P C N H0 H1.
  pose proof (span_positive c n r0 C N H0). pose proof (span_positive 0 n r0 (Rle_refl 0) N H0).
  pose proof (workers_positive n r0 N H0).
  split; [now apply padded_work|]. split.
  { rewrite (padded_work n) by exact H0. now apply span_is_work_and_imbalance. }
  split; [now apply padded_energy|].
  rewrite !(padded_energy p _ n) by assumption. split; [field; repeat split; lra|].
  intros E. pose proof (span_is_work_and_imbalance n r0 H0) as A.
  pose proof (span_is_work_and_imbalance n r1 H1) as B. rewrite <- E in B.
  replace (imbalances r0 - imbalances r1) with (INR n * span 0 r0 - INR n * span 0 r1) by lra.
  rewrite <- A. field. repeat split; lra.
Qed.
